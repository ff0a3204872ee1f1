import Foundation
import TestSupport
import Testing

/// An interactive shell, in a terminal that the test holds.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .serialized)
struct TerminalTests {
    let client: Client
    let host = "alice@plain.lab"

    init() throws { client = try Client.withKey() }

    @Test("a shell has our terminal's size, kind and modes, and leaves with its status")
    func shell() throws {
        let terminal = PseudoTerminal(columns: 91, rows: 33)
        try start(terminal, [host], ["TERM": "vt220"])
        try terminal.wait(for: "$ ")
        #expect(terminal.isRaw)
        terminal.type("stty size; echo $TERM; tty\r")
        try terminal.wait(for: "33 91\r\n")
        try terminal.wait(for: "vt220\r\n")
        try terminal.wait(for: "/dev/pts/")
        terminal.type("exit 12\r")
        #expect(try terminal.waitForEnd() == .exited(12))
        #expect(terminal.transcript.contains("Connection to plain.lab closed."))
        #expect(terminal.hasEcho && !terminal.isRaw)
    }

    @Test("a resized window is resized there")
    func resize() throws {
        let terminal = PseudoTerminal(columns: 80, rows: 24)
        let script = "trap 'stty size; exit 7' WINCH; echo ready; while sleep 0.05; do :; done"
        try start(terminal, [host, "-t", script])
        try terminal.wait(for: "ready")
        terminal.resize(columns: 132, rows: 50)
        try terminal.wait(for: "50 132")
        #expect(try terminal.waitForEnd() == .exited(7))
    }

    @Test("keys that mean something here are passed on: Ctrl-C, Ctrl-Z, Ctrl-\\, Ctrl-D")
    func controlKeys() throws {
        let terminal = PseudoTerminal()
        try start(terminal, [host, "-t", "stty raw -echo; echo ready; head -c 4 | od -An -tx1"])
        try terminal.wait(for: "ready")
        terminal.type("\u{3}\u{1a}\u{1c}\u{4}")
        try terminal.wait(for: "03 1a 1c 04")
        try terminal.waitForEnd()
    }

    @Test("~. ends the connection with 255 and gives the terminal back")
    func escapeEnds() throws {
        let terminal = PseudoTerminal()
        try start(terminal, [host])
        try terminal.wait(for: "$ ")
        terminal.type("\r~.")
        #expect(try terminal.waitForEnd() == .exited(255))
        #expect(terminal.transcript.contains("Connection to plain.lab closed."))
        #expect(terminal.hasEcho && !terminal.isRaw)
    }

    @Test("~? lists the escapes, ~~ is a tilde, and ~ within a line is nothing special")
    func escapes() throws {
        let terminal = PseudoTerminal()
        try start(terminal, [host])
        try terminal.wait(for: "$ ")
        terminal.type("\r~?")
        try terminal.wait(for: "Supported escape sequences:")
        try terminal.wait(for: "~.")
        terminal.type("\recho a~.b\r")
        try terminal.wait(for: "a~.b\r\n")
        terminal.type("\r~~x\u{15}echo done\r")
        try terminal.wait(for: "~x")
        try terminal.wait(for: "done\r\n")
        terminal.type("exit\r")
        #expect(try terminal.waitForEnd() == .exited(0))
    }

    @Test("another escape character, and none at all")
    func otherEscapes() throws {
        let other = PseudoTerminal()
        try start(other, ["-e", "%", host])
        try other.wait(for: "$ ")
        other.type("\r%.")
        #expect(try other.waitForEnd() == .exited(255))

        let none = PseudoTerminal()
        try start(none, ["-e", "none", host])
        try none.wait(for: "$ ")
        none.type("\r~.\rexit 3\r")
        #expect(try none.waitForEnd() == .exited(3))
    }

    @Test("~^Z stops the client with the terminal given back, and it goes on afterwards")
    func suspend() throws {
        let terminal = PseudoTerminal()
        let shell = ["/bin/bash", "--norc", "-i"]
        try terminal.start(asUser(shell), environment: environment(["PS1": "local> "]))
        try terminal.wait(for: "local> ")
        let words = ([client.binary] + client.options + [host]).joined(separator: " ")
        terminal.type("\(words)\r")
        try terminal.wait(for: ":~$ ")
        terminal.type("\r~\u{1a}")
        try terminal.wait(for: "Stopped")
        try terminal.wait(for: "local> ")
        terminal.type("fg\r")
        try terminal.wait(for: words)
        terminal.type("\recho back $((40+2))\r")
        try terminal.wait(for: "back 42\r\n")
        terminal.type("exit\r")
        try terminal.wait(for: "local> ")
        terminal.type("exit\r")
        try terminal.waitForEnd()
    }

    @Test("a signal that ends the client gives the terminal back", arguments: [SIGTERM, SIGHUP])
    func signals(signal: Int32) throws {
        let terminal = PseudoTerminal()
        try start(terminal, [host])
        try terminal.wait(for: "$ ")
        try terminal.wait(until: terminal.isRaw, "raw mode")
        terminal.send(signal)
        #expect(try terminal.waitForEnd() == .exited(255))
        #expect(terminal.hasEcho && !terminal.isRaw)
    }

    @Test("a terminal that goes away ends the client, and the shell over there")
    func terminalGoes() async throws {
        let terminal = PseudoTerminal()
        try start(terminal, [host])
        try terminal.wait(for: "$ ")
        let mark = "31\(client.user.number)"
        terminal.type("sleep \(mark)\r")
        try terminal.wait(for: "\(mark)\r\n")
        terminal.hangUp()
        #expect(try terminal.waitForEnd() == .exited(255))
        let gone = try await client.run(
            [host, "for i in $(seq 100); do pgrep -fx 'sleep \(mark)' || exit 0; sleep 0.1; done"]
        )
        #expect(gone.status == 0)
    }

    @Test("a connection that is reset gives the terminal back and says so")
    func connectionGoes() async throws {
        let link = try await FaultLink(to: "plain.lab")
        let terminal = PseudoTerminal()
        try start(terminal, ["-p", "\(link.port)", "alice@127.0.0.1"])
        try terminal.wait(for: "$ ")
        try await link.breakOff(.rst)
        #expect(try terminal.waitForEnd() == .exited(255))
        #expect(terminal.hasEcho && !terminal.isRaw)
        let said = terminal.transcript
        #expect(["reset", "closed", "Broken pipe"].contains { said.contains($0) }, "\(said)")
    }

    @Test("ServerAliveInterval finds a connection that is dead without a word")
    func keepalive() async throws {
        let link = try await FaultLink(to: "plain.lab")
        let terminal = PseudoTerminal()
        let options = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"]
        try start(terminal, options + ["-p", "\(link.port)", "alice@127.0.0.1"])
        try terminal.wait(for: "$ ")
        try await link.breakOff(.blackhole)
        #expect(try terminal.waitForEnd(seconds: 10) == .exited(255))
        #expect(terminal.transcript.contains("not responding"))
        #expect(terminal.hasEcho && !terminal.isRaw)
    }

    @Test("an unknown host key is asked about, and the answer counts", arguments: ["yes", "no"])
    func asksAboutHostKey(answer: String) throws {
        var client = try Client()
        client.options = ["-i", try client.user.takeKey()]
        let terminal = PseudoTerminal()
        try start(terminal, [host, "echo", "in"], client: client)
        try terminal.wait(for: "The authenticity of host 'plain.lab (")
        try terminal.wait(
            for: "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
        )
        terminal.type("\(answer)\r")
        let end = try terminal.waitForEnd()
        #expect(end == .exited(answer == "yes" ? 0 : 255))
        #expect(terminal.transcript.contains("in\r\n") == (answer == "yes"))
        #expect((client.user.contents(".ssh/known_hosts") != nil) == (answer == "yes"))
    }

    @Test("a password is asked for without echo, three times at most")
    func password() throws {
        var client = try Client()
        client.options = [
            "-o", "StrictHostKeyChecking=accept-new", "-o", "PreferredAuthentications=password",
        ]
        let terminal = PseudoTerminal()
        try start(terminal, [host, "echo", "in"], client: client)
        for attempt in ["wrong", "correct horse"] {
            try terminal.wait(for: "alice@plain.lab's password: ")
            try terminal.wait(until: !terminal.hasEcho, "a prompt without echo")
            terminal.type("\(attempt)\r")
        }
        try terminal.wait(for: "in\r\n")
        #expect(try terminal.waitForEnd() == .exited(0))
        #expect(!terminal.transcript.contains("horse"))
        #expect(terminal.hasEcho)
    }

    @Test("Ctrl-C at a prompt ends the run and turns the echo on again")
    func interruptedPrompt() throws {
        var client = try Client()
        client.options = [
            "-o", "StrictHostKeyChecking=accept-new", "-o", "PreferredAuthentications=password",
        ]
        let terminal = PseudoTerminal()
        try start(terminal, [host], client: client)
        try terminal.wait(for: "password: ")
        try terminal.wait(until: !terminal.hasEcho, "a prompt without echo")
        terminal.type("\u{3}")
        #expect(try terminal.waitForEnd() != .exited(0))
        #expect(terminal.hasEcho)
    }

    private func start(
        _ terminal: PseudoTerminal,
        _ arguments: [String],
        _ variables: [String: String] = [:],
        client: Client? = nil
    ) throws {
        let client = client ?? self.client
        try terminal.start(
            asUser([client.binary] + client.options + arguments, client),
            environment: environment(variables, client)
        )
    }

    private func asUser(_ words: [String], _ client: Client? = nil) -> [String] {
        let number = "\((client ?? self.client).user.number)"
        return ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--"]
            + words
    }

    private func environment(_ more: [String: String], _ client: Client? = nil) -> [String: String]
    {
        let user = (client ?? self.client).user
        return [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": user.home, "USER": user.name,
            "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh",
        ].merging(more) { $1 }
    }
}
