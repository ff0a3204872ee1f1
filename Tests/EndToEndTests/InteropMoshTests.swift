import Foundation
import TestSupport
import Testing

/// mosh, which logs in through us, learns the server's address from a proxy command of its own and
/// goes on over UDP.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .enabled(if: Tool.mosh.isHere, "no mosh"))
struct InteropMoshTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test(
        "starts its server and shows a shell there, however it learns the address",
        arguments: ["proxy", "remote", "local"]
    )
    func shell(address: String) async throws {
        let words = [
            "/usr/bin/mosh", "--ssh=\(place.ssh)", "--experimental-remote-ip=\(address)",
            "alice@plain.lab",
        ]
        let end = try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "$ ")
            terminal.type("echo over mosh $((6 * 7)); hostname\r")
            try terminal.wait(for: "over mosh 42")
            try terminal.wait(for: "server")
            terminal.type("exit\r")
            try terminal.wait(for: "[mosh is exiting.]")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
    }

    @Test("runs a command with its arguments as they are")
    func command() async throws {
        let words = [
            "/usr/bin/mosh", "--ssh=\(place.ssh) -p 22", "--no-init", "admin@debian.lab", "--",
            "sh", "-c", "echo \"[$1]\"; read x", "sh", "two  words",
        ]
        let end = try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "[two  words]")
            terminal.type("\r")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
    }
}
