import Foundation
import TestSupport
import Testing

/// What the escape sequences do that ask something of the connection or of the process.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct EscapeTests {
    let place: Workplace
    let host = "alice@plain.lab"

    init() throws { place = try Workplace() }

    @Test("~B asks for a break, and the session goes on")
    func sendsBreak() async throws {
        let log = place.user.path("log")
        try await session(["-vvv", "-E", log]) { terminal in
            terminal.type("~B")
            try terminal.wait(for: "~B\r\n")
        }
        let said = place.user.contents("log") ?? ""
        #expect(said.contains("break"), "\(said.suffix(2000))")
    }

    @Test("~R asks for new keys, which are made while the session goes on")
    func rekeys() async throws {
        let log = place.user.path("log")
        try await session(["-v", "-E", log]) { terminal in
            terminal.type("~R")
            try terminal.wait(until: newKeys() == 2, "a second exchange")
        }
        #expect(newKeys() == 2)
    }

    @Test("~v and ~V say more and less, and which level that is")
    func verbosity() async throws {
        try await session([]) { terminal in
            terminal.type("~v")
            try terminal.wait(for: "~v [LogLevel VERBOSE]\r\n")
            terminal.type("~v")
            try terminal.wait(for: "~v [LogLevel DEBUG]\r\n")
            terminal.type("~V~V~V")
            try terminal.wait(for: "~V [LogLevel VERBOSE]\r\n")
            try terminal.wait(for: "~V [LogLevel INFO]\r\n")
            try terminal.wait(for: "~V [LogLevel ERROR]\r\n")
        }
    }

    @Test("~# lists the open connections")
    func lists() async throws {
        try await session([]) { terminal in
            terminal.type("~#")
            try terminal.wait(for: "~#\r\n")
            try terminal.wait(for: "The following connections are open:\r\n  #0 client-session")
        }
    }

    @Test("~& gives the terminal back and goes on in the background, with the end of input told")
    func background() async throws {
        let name = place.unique("background")
        let ssh = place.ssh
        let host = host
        let words = ["/bin/bash", "--norc", "-i"]
        let isSane = try await place.atTerminal(words, environment: ["PS1": "local> "]) {
            terminal in
            try terminal.wait(for: "local> ")
            terminal.type("\(ssh) -t \(host) 'cat >\(name); echo end >>\(name)'\r")
            try terminal.wait(until: terminal.isRaw, "raw mode")
            terminal.type("typed\r")
            try terminal.wait(for: "typed\r\n")
            terminal.type("~&")
            try terminal.wait(for: "~& [backgrounded]")
            try terminal.wait(for: "local> ")
            terminal.type("echo status $?\r")
            try terminal.wait(for: "status 0\r\n")
            let isSane = !terminal.isRaw
            terminal.type(
                "for i in $(seq 200); do pgrep -u $UID -f plain.lab >/dev/null || break; sleep 0.05; done\r"
            )
            try terminal.wait(for: "local> ")
            terminal.type("echo left: $(pgrep -u $UID -f plain.lab | wc -l):\r")
            try terminal.wait(for: "left: 0:")
            terminal.type("exit\r")
            try terminal.waitForEnd()
            return isSane
        }
        #expect(isSane)
        #expect(try place.remoteContents(name) == Data("typed\nend\n".utf8))
    }

    /// Runs a shell over there, does something at the start of a line, and sees that it goes on.
    private func session(
        _ options: [String],
        _ body: @escaping @Sendable (PseudoTerminal) throws -> Void
    ) async throws {
        let end = try await place.atTerminal([place.ssh] + options + [host]) { terminal in
            try terminal.wait(for: "$ ")
            terminal.type("\r")
            try terminal.wait(for: "$ ")
            try body(terminal)
            terminal.type("echo on $((40 + 2)); exit 6\r")
            try terminal.wait(for: "on 42\r\n")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(6))
    }

    private func newKeys() -> Int {
        (place.user.contents("log") ?? "").components(separatedBy: "NEWKEYS sent").count - 1
    }
}
