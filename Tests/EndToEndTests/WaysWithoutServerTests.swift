import Foundation
import TestSupport
import Testing

/// sshd is out of reach, and the agent of Systems Manager is there: a shell for people, a clear word
/// for scripts.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"), .serialized)
struct WaysWithoutServerTests {
    let client: Client
    let aws: CloudAccount
    let web: CloudAccount.Instance

    init() async throws {
        client = try Client.withKey()
        aws = try await CloudAccount()
        // Not just started: nobody waits for its sshd.
        web = try await aws.launch("web", ["port": "refuse", "launched": .number(oneHourAgo)])
    }

    private func open(
        _ arguments: [String],
        columns: UInt16 = 91,
        rows: UInt16 = 33
    ) throws -> PseudoTerminal {
        let terminal = PseudoTerminal(columns: columns, rows: rows)
        let number = "\(client.user.number)"
        let words = ["--reuid", number, "--regid", number, "--clear-groups", "--", client.binary]
        let environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": client.user.home,
            "USER": client.user.name, "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh",
        ]
        try terminal.start(
            ["/usr/bin/setpriv"] + words + client.options + arguments,
            environment: environment.merging(aws.environment) { $1 }
        )
        return terminal
    }

    /// Expects that the terminal is as it was, and the session is over at AWS, too.
    private func expectCleanEnd(
        _ terminal: PseudoTerminal,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(terminal.hasEcho && !terminal.isRaw, sourceLocation: sourceLocation)
        try await expectSessionsOver(in: aws, sourceLocation: sourceLocation)
    }

    // MARK: - A shell

    @Test(
        "a person at a terminal gets a shell, after a line that says so",
        arguments: [false, true]
    )
    func shell(isEncrypted: Bool) async throws {
        try await aws.order("plan", ["kms": .truth(isEncrypted)])
        let terminal = try open([web.id])
        try terminal.wait(for: "ec2sh: sshd is out of reach (")
        try terminal.wait(for: "Connection refused); opening a shell of \(web.id) by ")
        try terminal.wait(for: "as its own user\r")
        try terminal.wait(for: "$ ")
        #expect(terminal.isRaw)
        terminal.type("stty size; id -un; echo $LAB_INSTANCE\r")
        try terminal.wait(for: "33 91\r\n")
        try terminal.wait(for: "ssm-user\r\n")
        try terminal.wait(for: "\(web.id)\r\n")
        let loop = "while sleep 0.1; do :; done"
        terminal.type("sh -c \"trap 'stty size' WINCH; echo caught; \(loop)\"\r")
        try terminal.wait(for: "\r\ncaught\r\n")
        terminal.resize(columns: 132, rows: 50)
        try terminal.wait(for: "50 132\r\n")
        terminal.type("\u{3}")
        try terminal.wait(for: "$ ")
        terminal.type("exit 3\r")
        // A shell of Systems Manager's tells no status.
        #expect(try terminal.waitForEnd() == .exited(0))
        #expect(terminal.transcript.contains("Connection to \(web.id) closed."))
        try await expectCleanEnd(terminal)
        #expect(try await aws.calls()["kms:GenerateDataKey"] == (isEncrypted ? 1 : 0))
    }

    @Test("escapes work as in ssh: ~? lists them, ~~ is a tilde, ~. ends it")
    func escapes() async throws {
        let terminal = try open(["-l", "alice", web.id])
        try terminal.wait(for: "as its own user, not alice's\r")
        try terminal.wait(for: "$ ")
        terminal.type("\r~?")
        try terminal.wait(for: "Supported escape sequences:")
        terminal.type("\r~&")
        try terminal.wait(for: "cannot go to the background")
        terminal.type("\r~~x\u{15}echo 4$((1 + 1))\r")
        try terminal.wait(for: "~x")
        try terminal.wait(for: "42\r\n$ ")
        terminal.type("\r~.")
        #expect(try terminal.waitForEnd() == .exited(255))
        try await expectCleanEnd(terminal)
    }

    @Test("keys go to the shell: Ctrl-C ends what runs there, and nothing here")
    func keys() async throws {
        let terminal = try open([web.id])
        try terminal.wait(for: "$ ")
        terminal.type("sh -c 'echo ready; sleep 1000'\r")
        try terminal.wait(for: "\r\nready\r\n")
        terminal.type("\u{3}")
        try terminal.wait(for: "$ ")
        terminal.type("echo alive\r")
        try terminal.wait(for: "alive\r\n$ ")
        terminal.type("\u{4}")
        #expect(try terminal.waitForEnd() == .exited(0))
        try await expectCleanEnd(terminal)
    }

    @Test("a websocket that breaks is replaced, and the shell is the same")
    func cuts() async throws {
        try await aws.order("plan", ["cuts": 8, "cut_between": [3000, 20_000], "pause": 0])
        let terminal = try open([web.id])
        try terminal.wait(for: "$ ")
        terminal.type("x=kept; seq 1 8000 | sed s/^/line/\r")
        for line in [1, 2000, 4000, 8000] { try terminal.wait(for: "line\(line)\r\n", seconds: 40) }
        terminal.type("echo $x\r")
        try terminal.wait(for: "\r\nkept\r\n")
        terminal.type("exit\r")
        #expect(try terminal.waitForEnd() == .exited(0))
        let shown = terminal.transcript.split(whereSeparator: \.isNewline)
            .filter { $0.hasPrefix("line") }
        #expect(shown == (1...8000).map { "line\($0)" })
        #expect(try await aws.sessions().contains { $0.cuts > 3 })
        try await expectCleanEnd(terminal)
    }

    @Test("a shell whose key may not be made is refused with the reason and the remedy")
    func noKey() async throws {
        try await aws.order("plan", ["kms": true])
        try await aws.order("deny", ["actions": ["kms:GenerateDataKey"]])
        let terminal = try open([web.id])
        #expect(try terminal.waitForEnd() == .exited(255))
        #expect(terminal.transcript.contains("also tried a shell by Systems Manager"))
        #expect(terminal.transcript.contains("kms:GenerateDataKey"))
        #expect(terminal.transcript.contains("ec2sh: hint: "))
        #expect(terminal.hasEcho && !terminal.isRaw)
    }

    @Test("a signal ends the shell and gives the terminal back", arguments: [SIGTERM, SIGHUP])
    func signals(signal: Int32) async throws {
        let terminal = try open([web.id])
        try terminal.wait(for: "$ ")
        try terminal.wait(until: terminal.isRaw, "raw mode")
        terminal.send(signal)
        #expect(try terminal.waitForEnd() == .exited(255))
        try await expectCleanEnd(terminal)
    }

    // MARK: - Commands and scripts

    @Test("a script gets an error with what was seen and what can be done, and no shell")
    func script() async throws {
        for words in [[web.id, "true"], [web.id], ["-T", web.id]] {
            let run = try await client.run(words, environment: aws.environment, limit: .seconds(40))
            #expect(run.status == 255)
            #expect(run.output.isEmpty)
            #expect(run.errorText.contains("Connection refused"), "\(run.errorText)")
            #expect(run.errorText.contains("through Systems Manager ("), "\(run.errorText)")
            #expect(
                run.errorText.contains("'ec2sh \(web.id)' in a terminal opens a shell"),
                "\(run.errorText)"
            )
        }
        // The tries to reach sshd alone.
        #expect(try await aws.calls()["ssm:StartSession"] == 3)
    }

    @Test("EC2ShellFallback no: not even for a person, who is told the word that would")
    func never() async throws {
        let terminal = try open(["-o", "EC2ShellFallback=no", web.id])
        #expect(try terminal.waitForEnd() == .exited(255))
        #expect(terminal.transcript.contains("run: ec2sh -o EC2ShellFallback=auto \(web.id)"))
    }

    @Test("EC2ShellFallback yes runs a command on a terminal, with its size and its exact status")
    func command() async throws {
        let shy = try open(["-t", web.id, "true"])
        #expect(try shy.waitForEnd() == .exited(255))
        #expect(shy.transcript.contains("-o EC2ShellFallback=yes"))
        for (command, status) in [
            ("stty size; echo 'a  b' \"$LAB_INSTANCE\"; exit 7", Int32(7)), ("stty size", 0),
            ("stty size; kill -9 $$", 137), ("stty size; if", 2),
        ] {
            let terminal = try open(["-o", "EC2ShellFallback=yes", "-t", web.id, command])
            if !command.hasSuffix("if") { try terminal.wait(for: "33 91\r\n") }
            if status == 7 { try terminal.wait(for: "a  b \(web.id)\r\n") }
            #expect(try terminal.waitForEnd() == .exited(status), "\(command)")
            #expect(!terminal.transcript.contains("ec2sh:begin"))
            #expect(!terminal.transcript.contains("\u{1b}_"))
            #expect(terminal.hasEcho && !terminal.isRaw)
        }
        try await expectCleanEnd(shy)
    }

    @Test("EC2ShellFallback yes does not pretend to serve a script")
    func commandOfScript() async throws {
        let run = try await client.run(
            ["-o", "EC2ShellFallback=yes", web.id, "true"],
            environment: aws.environment,
            limit: .seconds(40)
        )
        #expect(run.status == 255)
        #expect(run.errorText.contains("EC2ShellFallback is for terminals"), "\(run.errorText)")
        #expect(try await aws.calls()["ssm:StartSession"] == 1)
    }

    // MARK: - Waiting for sshd

    @Test("sshd that is yet to come is waited for in one session, however often it is tried")
    func waiting() async throws {
        let young = try await aws.launch("young", ["public": false, "port": "refuse"])
        async let login = client.run(
            ["-v", "-o", "EC2Ways=ssm", young.id, "echo $LAB_INSTANCE"],
            environment: aws.environment,
            limit: .seconds(90)
        )
        while try await aws.calls()["ssm:StartSession"] < 2 {
            try await Task.sleep(for: .milliseconds(50))
        }
        // Some tries more, which are connections of that session.
        try await Task.sleep(for: .seconds(8))
        try await aws.set(young, ["port": "open"])
        let run = try await login
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "\(young.id)\n")
        let tries = run.errorLines.count { $0.contains("trying through Systems Manager") }
        #expect(tries > 4, "\(run.errorText)")
        #expect(try await aws.calls()["ssm:StartSession"] == 2, "\(run.errorText)")
        try await expectSessionsOver(in: aws)
    }
}

/// In seconds since 1970.
let oneHourAgo = Date().timeIntervalSince1970 - 3600
