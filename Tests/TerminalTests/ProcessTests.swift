import TestSupport
import Testing

/// Each test drives a program in a terminal of its own.
struct ProcessTests {
    let terminal = PseudoTerminal()
    let driver = builtProduct("TerminalDriver")

    @Test func `what goes on in the background has left the terminal and the shell goes on`() throws
    {
        try terminal.start(["/bin/sh", "-c", "\(driver) background; echo status=$?; read end"])
        try terminal.wait(until: terminal.transcript.contains("status=0"), "status")
        try terminal.wait(for: "leads=true terminal=false")
        terminal.type("\n")
        #expect(try terminal.waitForEnd() == .exited(0))
    }

    @Test func `standard descriptors that were closed are open and all others closed`() throws {
        let script = "exec \(driver) descriptors <&- >&- 7</dev/null 9</dev/null"
        try terminal.start(["/bin/bash", "-c", script])
        try terminal.wait(for: "open: [0, 1, 2]\r\n")
    }
}
