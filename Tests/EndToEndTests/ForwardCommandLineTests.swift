import Foundation
import TestSupport
import Testing

/// Forwards that come and go while a session runs: `~C` and `~#`.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .serialized)
struct ForwardCommandLineTests {
    let client: Client
    let terminal = PseudoTerminal()
    let port = Int.random(in: 20_000..<30_000)

    init() throws {
        client = try Client.withKey()
        let user = client.user
        let number = "\(user.number)"
        try terminal.start(
            ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--"]
                + [client.binary] + client.options + [
                    "-o", "EnableEscapeCommandline=yes", "-o", "PermitLocalCommand=yes",
                    "alice@plain.lab",
                ],
            environment: [
                "HOME": user.home, "USER": user.name, "TERM": "xterm", "LANG": "C.UTF-8",
                "PATH": "/usr/bin:/bin",
            ]
        )
        try terminal.wait(for: "$ ")
    }

    @Test("forwards are opened and cancelled as they are typed")
    func forwards() async throws {
        try answer("-L \(port):localhost:22", with: "Forwarding port.")
        #expect(try await banner().hasPrefix("SSH-2.0-OpenSSH"))
        try answer("-L \(port):localhost:22", with: "Port forwarding failed.")
        try answer("-KL \(port)", with: "Canceled forwarding.")
        #expect(try await banner() == "")
        try answer("-KL \(port)", with: "Unknown port forwarding.")
        try answer("-D \(port)", with: "Forwarding port.")
        try answer("-KL \(port)", with: "Unknown port forwarding.")
        try answer("-KD \(port)", with: "Canceled forwarding.")
        try answer("-R 0:localhost:\(port)", with: "Allocated port ")
        try answer("-KR \(port)", with: "Unknown port forwarding.")
        try leave()
    }

    @Test("what is no command is said, ! runs one of ours, and the session goes on")
    func others() throws {
        try answer("x", with: "Invalid command.")
        try answer("-L nonsense", with: "Bad local forwarding specification.")
        try answer("-h", with: "Execute local command")
        try answer("!echo on $((40 + 2))", with: "on 42")
        try leave()
    }

    @Test("the list of connections has the session and each forwarded connection")
    func list() async throws {
        try answer("-L \(port):localhost:22", with: "Forwarding port.")
        let pipe = FileManager.default.temporaryDirectory.appendingPathComponent("held-\(port)")
            .path
        try #require(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        // The server's first line has come back through the forward when it writes.
        let holder = "exec 3<>/dev/tcp/127.0.0.1/\(port); read -u 3; echo >\(pipe); sleep 20"
        async let held = ProgramRun.run(["/usr/bin/timeout", "15", "/bin/bash", "-c", holder])
        _ = try await ProgramRun.run(["/usr/bin/timeout", "15", "/bin/cat", pipe])
        terminal.type("\r~#")
        let list = try terminal.wait(for: "to 127.0.0.1 port \(port)")
        #expect(list.contains("The following connections are open:\r\n  #0 client-session ("))
        let line = "  #3 direct-tcpip: listening port \(port) for localhost port 22, connect from"
        #expect(list.contains(line), "\(list)")
        try leave()
        _ = try await held
    }

    /// Types a line at the prompt of `~C`.
    private func answer(_ line: String, with text: String) throws {
        terminal.type("\r~C")
        try terminal.wait(for: "ssh> ")
        terminal.type(line + "\n")
        try terminal.wait(for: text)
    }

    private func leave() throws {
        terminal.type("\rexit 3\r")
        #expect(try terminal.waitForEnd() == .exited(3), "\(terminal.transcript)")
    }

    /// What answers at the port, up to its first line's end; nothing when nobody listens.
    private func banner() async throws -> String {
        let script = "exec 3<>/dev/tcp/127.0.0.1/\(port) && head -n 1 <&3"
        return try await ProgramRun.run(["/usr/bin/timeout", "5", "/bin/bash", "-c", script])
            .outputText
    }
}
