import Foundation
import TestSupport
import Testing

/// Terminals over a shared connection.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxTerminalTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test(
        "a terminal is raw, has its size, hears of a new one, and is given back",
        arguments: MuxPair.all
    )
    func terminal(pair: MuxPair) async throws {
        let place = place
        let master = try await place.run([
            pair.master(place), "-M", "-S", "ctl", "-fN", "alice@plain.lab",
        ])
        #expect(master.status == 0, "\(master.errorText)")
        let script = """
            stty size; trap 'stty size; exit 7' WINCH; echo ready
            while :; do sleep 0.05; done
            """
        let words = [pair.client(place), "-S", "ctl", "-t", "alice@plain.lab", script]
        let said = try await place.atTerminal(words, columns: 91, rows: 33) { terminal in
            try terminal.wait(for: "33 91\r\n")
            try terminal.wait(for: "ready")
            #expect(terminal.isRaw)
            terminal.resize(columns: 132, rows: 50)
            try terminal.wait(for: "50 132")
            #expect(try terminal.waitForEnd() == .exited(7))
            #expect(terminal.hasEcho && !terminal.isRaw)
            return terminal.transcript
        }
        #expect(said.contains("Shared connection to plain.lab closed."))
        _ = try await place.run([place.ssh, "-S", "ctl", "-O", "exit", "alice@plain.lab"])
    }

    @Test(
        "~. ends only the session it is typed in, and other escapes know where they are",
        arguments: MuxPair.ofOurMaster
    )
    func escapes(pair: MuxPair) async throws {
        let place = place
        let master = try await place.run([
            pair.master(place), "-M", "-S", "ctl", "-fN", "alice@plain.lab",
        ])
        #expect(master.status == 0, "\(master.errorText)")
        let words = [pair.client(place), "-S", "ctl", "alice@plain.lab"]
        try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "$ ")
            terminal.type("\r~&")
            try terminal.wait(for: "not available to multiplexed sessions")
            terminal.type("\r~#")
            try terminal.wait(for: "client-session")
            terminal.type("\r~.")
            #expect(try terminal.waitForEnd() == .exited(255))
        }
        let check = try await place.run([place.ssh, "-S", "ctl", "-O", "exit", "alice@plain.lab"])
        #expect(check.errorLines == ["Exit request sent."])
    }
}
