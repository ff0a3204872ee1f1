import Foundation
import TestSupport

/// A home for a tool that runs an ssh: the key, and a configuration that needs no options.
///
/// Tools are given `ec2sh` as it is, by its name or its path, as a user would.
struct Workplace: Sendable {
    let lab: Lab
    let user: LabUser
    /// The path of the binary under test.
    let ssh: String

    init() throws {
        lab = try Lab.here()
        user = try LabUser()
        ssh = lab.binary ?? "/usr/bin/ssh"
        try user.takeKey("ed25519", as: ".ssh/id_ed25519")
        try user.write(".ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n")
    }

    /// Runs a tool in the home.
    func run(
        _ words: [String],
        input: ProgramRun.Input = .none,
        environment: [String: String] = [:],
        limit: Duration = .seconds(60)
    ) async throws -> ProgramRun {
        try await ProgramRun.run(
            ["/usr/bin/env"] + words,
            as: user,
            input: input,
            environment: environment,
            limit: limit
        )
    }

    /// Runs a script of the shell's in the home; `$SSH` is the binary under test, and the first
    /// command that fails ends it.
    func shell(
        _ script: String,
        environment: [String: String] = [:],
        limit: Duration = .seconds(60)
    ) async throws -> ProgramRun {
        try await run(
            ["SSH=\(ssh)", "/bin/sh", "-ec", script],
            environment: environment,
            limit: limit
        )
    }

    /// Starts a tool in the home.
    /// - Returns: once it runs, which takes a while when many do: what it will have done.
    func begin(
        _ words: [String],
        input: ProgramRun.Input = .none,
        output: ProgramRun.Output = .collected,
        limit: Duration = .seconds(60)
    ) async throws -> Task<ProgramRun, any Error> {
        let (begun, signal) = AsyncStream<Never>.makeStream()
        let run = Task {
            defer { signal.finish() }
            return try await ProgramRun.run(
                ["/usr/bin/env"] + words,
                as: user,
                input: input,
                output: output,
                environment: ["SSH": ssh],
                limit: limit,
                started: { signal.finish() }
            )
        }
        for await _ in begun {}
        return run
    }

    /// Where a file in the home of an instance's user is on this machine: what a tool has written
    /// there is looked at without any ssh.
    func remote(_ name: String, on instance: String = "plain") throws -> String {
        let account = try lab.instance(instance).user
        let home = account == "root" ? "root" : "home/\(account)"
        return "\(lab.root)/instances/\(instance)/\(home)/\(name)"
    }

    /// The bytes of a file in the home of an instance's user, nil when there is none.
    func remoteContents(_ name: String, on instance: String = "plain") throws -> Data? {
        try FileManager.default.contents(atPath: remote(name, on: instance))
    }

    /// Writes a file into the home of an instance's user, who owns it.
    func writeRemote(_ name: String, _ bytes: Data, on instance: String = "plain") throws {
        let path = try remote(name, on: instance)
        try bytes.write(to: URL(fileURLWithPath: path))
        let owner = try lab.instance(instance).user == "root" ? 0 : 1000
        try FileManager.default.setAttributes(
            [
                .ownerAccountID: NSNumber(value: owner),
                .groupOwnerAccountID: NSNumber(value: owner),
                .posixPermissions: NSNumber(value: 0o755),
            ],
            ofItemAtPath: path
        )
    }

    /// The first of four ports that no other test listens on.
    var port: Int { 30_000 + 4 * (user.number % 1_000) }

    /// A name in other homes that no other test uses.
    func unique(_ name: String) -> String { "\(name)-\(user.name)" }

    /// The words that make a program run as the user, for what is started otherwise.
    func asUser(_ words: [String]) -> [String] {
        let number = "\(user.number)"
        let become = ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups"]
        return ["/usr/bin/env", "-C", user.home] + become + ["--"] + words
    }

    /// The environment of a person at a terminal.
    func environment(_ more: [String: String] = [:]) -> [String: String] {
        [
            "PATH": "\(lab.root)/bin:/usr/local/bin:/usr/bin:/bin", "HOME": user.home,
            "USER": user.name, "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh",
            "SSH": ssh,
        ].merging(more) { $1 }
    }

    /// Holds a terminal with a program in it, on a thread of its own: what waits there keeps no
    /// other test waiting.
    /// - Returns: what the body returns.
    func atTerminal<Value: Sendable>(
        _ words: [String],
        columns: UInt16 = 80,
        rows: UInt16 = 24,
        environment more: [String: String] = [:],
        _ body: @escaping @Sendable (PseudoTerminal) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let terminal = PseudoTerminal(columns: columns, rows: rows)
                        try terminal.start(asUser(words), environment: environment(more))
                        return try body(terminal)
                    }
                )
            }
        }
    }
}

/// Bytes that look like nothing, the same for the same seed.
func noise(_ count: Int, seed: UInt64) -> Data {
    var random = Seeded(seed)
    var bytes = Data(capacity: count + 8)
    while bytes.count < count {
        withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
    }
    return bytes.prefix(count)
}

/// The programs of other people that are run here.
enum Tool: String, CaseIterable {
    case ansible, autossh, expect, git, mosh, rsync, scp, sftp, sshfs, tmux

    /// Whether it can be run.
    var isHere: Bool {
        ["/usr/bin", "/usr/local/bin"].contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(rawValue)")
        }
    }
}
