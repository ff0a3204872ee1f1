import Foundation
import TestSupport
import Testing

/// A Tab completes instances from the cache and asks nobody: real shells with the scripts that are
/// shipped.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct CompletionTests {
    let client: Client
    let aws: CloudAccount
    private let web: CloudAccount.Instance
    private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("config/completions")

    init() async throws {
        client = try Client()
        aws = try await CloudAccount()
        web = try await aws.launch("web-front")
        _ = try await aws.launch(nil, ["tags": ["Name": "web[1]"]])
        _ = try await aws.launch("db-1")
        _ = try await aws.launch("no host; at all")
        // The account that runs the shell cannot read where the sources are.
        for name in ["ec2sh.bash", "_ec2sh"] {
            let file = CompletionTests.scripts.appendingPathComponent(name)
            try client.user.write("completions/\(name)", Data(contentsOf: file))
        }
        try client.user.write(
            ".ssh/config",
            "Host alias-one other*\n  HostName 192.0.2.1\nHost alias-two\n  User x\n"
        )
        let list = try await list([])
        #expect(list.status == 0, "\(list.errorText)")
        _ = try await aws.calls(reset: true)
    }

    private func list(_ arguments: [String]) async throws -> ProgramRun {
        try await ProgramRun.run(
            [client.binary, "list"] + arguments,
            as: client.user,
            environment: aws.environment
        )
    }

    /// PATH with the binary under test as `ec2sh`.
    private var path: String {
        get throws {
            let directory = client.user.path("bin")
            try client.user.makeDirectory("bin")
            try? FileManager.default.createSymbolicLink(
                atPath: directory + "/ec2sh",
                withDestinationPath: client.binary
            )
            return "\(directory):/usr/bin:/bin"
        }
    }

    @Test("list --words prints what may be typed, and asks nobody")
    func words() async throws {
        let all = try await list(["--words"])
        #expect(all.status == 0)
        let lines = all.outputText.split(separator: "\n").map(String.init)
        #expect(lines.count == 7)
        #expect(lines.contains(web.id) && lines.contains("web[1]"))
        #expect(try await list(["--words", "web"]).outputText == "web-front\nweb[1]\n")
        #expect(try await list(["host; at"]).outputText.contains("no host; at all"))
        _ = try await aws.calls(reset: true)
        let none = try await list(["--words", "nothing"])
        #expect(none.status == 1 && none.output.isEmpty)
        // Nobody is asked even where nothing was ever seen.
        let elsewhere = try await list(["--words", "-o", "EC2Region=us-west-2"])
        #expect(elsewhere.status == 1 && elsewhere.output.isEmpty)
        #expect(try await aws.calls().total == 0)
    }

    @Test("bash offers what fits at the cursor")
    func offers() async throws {
        let bash = try start(
            ["/bin/bash", "--norc", "--noprofile", "-i"],
            setUp: [
                "source ~/completions/ec2sh.bash",
                // Shows what the function gives, and gives nothing.
                "show() { _ec2sh \"$@\"; printf '<%s>' \"${COMPREPLY[@]}\" '#' >/dev/tty; COMPREPLY=(); }",
                "complete -F show ec2sh",
            ]
        )
        defer { bash.hangUp() }
        func offered(_ line: String) throws -> [String] {
            bash.type(line + "\t")
            let shown = try bash.wait(for: "<#>")
            bash.type("\u{15}")
            let words = shown.split(separator: "<").dropFirst()
            return words.compactMap { $0.split(separator: ">").first.map(String.init) }
        }
        for (line, expected) in [
            ("ec2sh web", ["web-front", "web\\[1\\]"]), ("ec2sh web\\[", ["web\\[1\\]"]),
            ("ec2sh -v -l bob web-", ["web-front"]),
            ("ec2sh bob@web-", ["web-front"]), ("ec2sh -J bob@web-", ["web-front"]),
            ("ec2sh \(web.id.prefix(12))", [web.id]), ("ec2sh ali", ["alias-one", "alias-two"]),
            ("ec2sh prox", ["proxy"]), ("ec2sh -v prox", []), ("ec2sh proxy web-f", ["web-front"]),
            ("ec2sh list --w", ["--words"]),
            ("ec2sh fix web-front --", ["--yes", "--dry-run", "--undo"]),
            ("ec2sh web-front web", []), ("ec2sh -p22 web-", ["web-front"]),
            ("ec2sh -o EC2Wa", ["EC2Ways="]), ("ec2sh -oec2wa", ["-oEC2Ways="]),
            ("ec2sh -o EC2Ways=direct,s", ["ssm"]),
            ("ec2sh -o EC2PushKey=", ["auto", "yes", "no"]),
            ("ec2sh -o EC2Region=us-west-2 web", []), ("ec2sh -oEC2Region=us-west-2 web", []),
            ("ec2sh -i comp", ["completions"]), ("ec2sh -vi comp", ["completions"]),
            ("ec2sh -O ex", ["exit"]), ("ec2sh -- doc", []), ("ec2sh no-such", []),
        ] as [(String, [String])] {
            let found = try offered(line)
            #expect(found == expected, "\(line)")
        }
        #expect(try offered("ec2sh -").contains("-L"))
        #expect(try offered("ec2sh -c aes256-g").contains("aes256-gcm@openssh.com"))
        #expect(try await aws.calls().total == 0)
    }

    /// A real shell at a terminal, ready for what is typed.
    private func start(_ shell: [String], setUp: [String]) throws -> PseudoTerminal {
        let terminal = PseudoTerminal(columns: 200, rows: 24)
        let environment = aws.environment.merging(
            [
                "PATH": try path, "HOME": client.user.home, "USER": client.user.name,
                "TERM": "dumb", "PS1": "ready> ",
            ]
        ) { $1 }
        let identity = [
            "--reuid=\(client.user.number)", "--regid=\(client.user.number)", "--clear-groups",
        ]
        let move = ["/usr/bin/env", "-C", client.user.home]
        try terminal.start(
            ["/usr/bin/setpriv"] + identity + move + shell,
            environment: environment
        )
        for line in setUp {
            _ = try terminal.wait(for: "ready> ")
            terminal.type(line + "\n")
        }
        _ = try terminal.wait(for: "ready> ")
        return terminal
    }

    /// Types keys and expects what then stands on the line.
    private func expect(_ line: String, after keys: String, in shell: PseudoTerminal) throws {
        shell.type(keys)
        _ = try shell.wait(for: line)
        shell.hangUp()
    }

    @Test("a Tab in bash completes a line, and asks nobody")
    func bashTab() async throws {
        for (keys, line) in [
            ("ec2sh -o EC2PushKey=n\tweb-f\t", "ec2sh -o EC2PushKey=no web-front "),
            ("ec2sh me@web\\[\t", "web\\[1\\] "),
        ] {
            let bash = try start(
                ["/bin/bash", "--norc", "--noprofile", "-i"],
                setUp: ["source ~/completions/ec2sh.bash"]
            )
            try expect(line, after: keys, in: bash)
        }
        #expect(try await aws.calls().total == 0)
    }

    @Test(
        "a Tab in zsh completes a line, and asks nobody",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zsh"), "needs zsh")
    )
    func zshTab() async throws {
        for (keys, line) in [
            ("ec2sh -v web-f\t", "ec2sh -v web-front"), ("ec2sh me@db\t", "ec2sh me@db-1"),
            ("ec2sh -o EC2PushKey=y\t", "ec2sh -o EC2PushKey=yes"),
            ("ec2sh list --wo\t", "ec2sh list --words"),
            ("ec2sh proxy web-f\t", "ec2sh proxy web-front"),
            ("ec2sh alias-o\t", "ec2sh alias-one"),
        ] {
            let zsh = try start(
                ["/usr/bin/zsh", "-f", "-i"],
                setUp: ["fpath=(~/completions $fpath); autoload -U compinit; compinit -u -D"]
            )
            try expect(line, after: keys, in: zsh)
        }
        #expect(try await aws.calls().total == 0)
    }
}
