import Foundation
import TestSupport
import Testing

/// Shells on a terminal whose connections break.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ResumeShellTests {
    private static let prompt = "remote> "

    /// A shell that waits at its prompt.
    private func shell(
        _ link: BreakableLink,
        options: [String] = [],
        _ body: @escaping @Sendable (PseudoTerminal) throws -> Void
    ) async throws {
        let words = link.words(["-t"] + options) + ["exec env PS1='remote> ' bash --norc -i"]
        try await link.place.atTerminal(words, columns: 90, rows: 30) { terminal in
            try terminal.wait(for: ResumeShellTests.prompt)
            try body(terminal)
        }
    }

    @Test("a shell has a terminal of the right size and ends with its status")
    func undisturbed() async throws {
        let link = try await BreakableLink()
        try await shell(link) { terminal in
            terminal.type("stty size; tty; echo $SSH_TTY; exit 9\r")
            try terminal.wait(for: "30 90\r\n/dev/pts/")
            #expect(try terminal.waitForEnd() == .exited(9))
        }
    }

    @Test("the terminal there has the modes of the terminal here")
    func modes() async throws {
        let link = try await BreakableLink()
        let words =
            ["/bin/sh", "-c", "stty erase ^H intr ^G ixany -onlcr; exec \"$@\"", "sh"]
            + link.words(["-t"]) + ["stty -a; stty sane; exit 4"]
        try await link.place.atTerminal(words, columns: 90, rows: 30) { terminal in
            let said = try terminal.wait(for: "echoke")
            for mode in ["erase = ^H;", "intr = ^G;", " ixany", "-onlcr", " icanon", " echo "] {
                #expect(said.contains(mode), "\(mode) in \(said)")
            }
            #expect(try terminal.waitForEnd() == .exited(4))
        }
    }

    @Test("a shell goes on after breaks, with all that was typed, once", arguments: [1, 2])
    func goesOn(seed: UInt64) async throws {
        let link = try await BreakableLink()
        try await shell(link) { [link = link.link] terminal in
            terminal.type("x=kept\r")
            try terminal.wait(for: ResumeShellTests.prompt)
            for round in 1...3 {
                try onThread { try await link.breakOff(round % 2 == 0 ? .fin : .rst) }
                terminal.type("echo $x $((\(round) * 1000 + \(seed)))\r")
                try terminal.wait(for: "kept \(round)00\(seed)\r\n", seconds: 30)
                try terminal.wait(for: ResumeShellTests.prompt)
            }
            terminal.type("exit 3\r")
            #expect(try terminal.waitForEnd() == .exited(3))
        }
    }

    @Test("a link that goes dead while nobody types is noticed when the network changes")
    func networkChange() async throws {
        let link = try await BreakableLink()
        try await shell(link) { [link = link.link] terminal in
            terminal.type("sleep 1; echo wo''ken\r")
            try terminal.wait(for: "wo''ken\r\n")
            try onThread { try await link.breakOff(.blackhole) }
            let began = ContinuousClock.now
            let address = ["198.18.7.1/32", "dev", "lo"]
            try runTool("/usr/sbin/ip", ["address", "add"] + address)
            defer { try? runTool("/usr/sbin/ip", ["address", "delete"] + address) }
            try terminal.wait(for: "woken\r\n", seconds: 60)
            // By itself it asks every 15 s.
            #expect(ContinuousClock.now - began < .seconds(14))
            terminal.type("exit\r")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
    }

    @Test("~. ends a session while its link is away")
    func disconnect() async throws {
        let link = try await BreakableLink()
        try await shell(link) { [link = link.link] terminal in
            try onThread {
                try await link.replacePlan(.cutDown(after: 1, .blackhole))
                try await link.breakOff(.rst)
            }
            try terminal.wait(for: "connecting again", seconds: 30)
            terminal.type("\r~.")
            #expect(try terminal.waitForEnd() == .exited(255))
        }
    }

    @Test("a new size reaches the program after a break")
    func resize() async throws {
        let link = try await BreakableLink()
        try await shell(link) { [link = link.link] terminal in
            try onThread { try await link.breakOff(.rst) }
            terminal.resize(columns: 101, rows: 41)
            terminal.type("stty size\r")
            try terminal.wait(for: "41 101\r\n", seconds: 30)
            terminal.type("exit\r")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
    }
}
