import Foundation
import TestSupport
import Testing

/// Programs that run an ssh and are given ours.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ToolTests {
    let client: Client
    let host = "alice@plain.lab"
    /// A script that is ours with its options, for tools that take a path alone.
    let script: String

    init() throws {
        client = try Client.withKey()
        let options = client.options.joined(separator: " ")
        script = try client.user.write(
            "bin/our-ssh",
            "#!/bin/sh\nexec \(client.binary) \(options) \"$@\"\n",
            mode: 0o755
        )
    }

    @Test("sftp lists, puts and gets")
    func sftp() async throws {
        let name = "sftp-\(client.user.name)"
        try client.user.write("up", "by sftp\n")
        let batch = try client.user.write(
            "batch",
            "put up \(name)\nget \(name) down\nls \(name)\nrm \(name)\n"
        )
        let run = try await tool(["sftp", "-q", "-S", script, "-b", batch, host])
        #expect(run.status == 0, "\(run.errorText)")
        #expect(client.user.contents("down") == "by sftp\n")
    }

    @Test("scp copies there and back, by SFTP and by its old protocol", arguments: [[], ["-O"]])
    func scp(options: [String]) async throws {
        let name = "scp-\(client.user.name)"
        var random = Seeded(seed: 9)
        let bytes = Data((0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        try client.user.write("up", bytes)
        let scp = ["scp", "-q", "-S", script] + options
        let there = try await tool(scp + ["up", "\(host):\(name)"])
        #expect(there.status == 0, "\(there.errorText)")
        let back = try await tool(scp + ["\(host):\(name)", "down"])
        #expect(back.status == 0, "\(back.errorText)")
        #expect(FileManager.default.contents(atPath: client.user.path("down")) == bytes)
    }

    @Test("scp says in its own words that a file is not there, and leaves with its own status")
    func scpFails() async throws {
        let run = try await tool(["scp", "-S", script, "\(host):no-such-file", "down"])
        #expect(run.status == 1)
        #expect(run.errorText.contains("No such file or directory"))
    }

    @Test("git clones and pushes")
    func git() async throws {
        let name = "git-\(client.user.name)"
        let steps = """
            set -e
            export GIT_SSH_COMMAND='\(script)' GIT_CONFIG_GLOBAL=/dev/null
            \(script) \(host) git init -q --bare -b main \(name)
            git init -q -b main here
            cd here
            git -c user.name=A -c user.email=a@b commit -q --allow-empty -m one
            git push -q \(host):\(name) main
            cd ..
            git clone -q ssh://alice@plain.lab:22/home/alice/\(name) there
            git -C there log --format=%s
            """
        let run = try await ProgramRun.run(["/bin/sh", "-c", steps], as: client.user)
        #expect(run.outputText == "one\n", "\(run.errorText)")
    }

    @Test(
        "rsync sends and fetches a tree",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/rsync"), "no rsync")
    )
    func rsync() async throws {
        let name = "rsync-\(client.user.name)"
        try client.user.write("tree/a/one", "1\n")
        try client.user.write("tree/b/two", "2\n")
        let there = try await tool(["rsync", "-a", "-e", script, "tree/", "\(host):\(name)/"])
        #expect(there.status == 0, "\(there.errorText)")
        let back = try await tool(["rsync", "-az", "-e", script, "\(host):\(name)/", "back/"])
        #expect(back.status == 0, "\(back.errorText)")
        #expect(client.user.contents("back/b/two") == "2\n")
    }

    private func tool(_ words: [String]) async throws -> ProgramRun {
        try await ProgramRun.run(["/usr/bin/env"] + words, as: client.user)
    }
}
