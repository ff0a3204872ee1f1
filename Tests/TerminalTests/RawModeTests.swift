import Glibc
import Posix
import TestSupport
import Testing

@testable import Terminal

/// Each test drives a program in a terminal of its own.
struct RawModeTests {
    let terminal = PseudoTerminal()

    private func start() throws {
        let variables = ["SWIFT_BACKTRACE": "enable=no"]
        try terminal.start([builtProduct("TerminalDriver"), "raw"], environment: variables)
        try terminal.wait(for: "ready\r\n")
    }

    @Test func `keys of the terminal are bytes like any other`() throws {
        try start()
        #expect(terminal.isRaw)
        #expect(!terminal.hasEcho)
        terminal.type("\u{3}\u{1a}\u{1c}\r\u{11}")
        for byte in [3, 26, 28, 13, 17] { try terminal.wait(for: "byte \(byte)\r\n") }
        terminal.type("q")
        try terminal.wait(for: "left\r\n")
        #expect(try terminal.waitForEnd() == .exited(0))
        #expect(!terminal.isRaw)
        #expect(terminal.hasEcho)
    }

    @Test(arguments: [
        ("e", PseudoTerminal.End.exited(3)), ("a", .killed(SIGABRT)), ("t", .killed(SIGILL)),
    ])
    func `exit and crash leave the terminal as before`(
        key: String,
        end: PseudoTerminal.End
    ) throws {
        try start()
        terminal.type(key)
        #expect(try terminal.waitForEnd() == end)
        #expect(!terminal.isRaw)
        #expect(terminal.hasEcho)
    }

    @Test(arguments: [SIGHUP, SIGINT, SIGQUIT, SIGTERM])
    func `a signal leaves the terminal as before`(signal: Int32) throws {
        try start()
        terminal.send(signal)
        #expect(try terminal.waitForEnd() == .killed(signal))
        #expect(!terminal.isRaw)
    }

    @Test func `a stop that nobody can catch is followed by raw mode again`() throws {
        try start()
        terminal.send(SIGSTOP)
        #expect(try terminal.waitForStop() == .stopped(SIGSTOP))
        terminal.makeSane()
        #expect(!terminal.isRaw)
        terminal.send(SIGCONT)
        try terminal.wait(until: terminal.isRaw, "raw mode")
        terminal.type("x")
        try terminal.wait(for: "byte 120")
    }

    @Test(arguments: [true, false])
    func `a stopped program has given the terminal back and takes it again`(
        isStoppedFromOutside: Bool
    ) throws {
        // A shell with job control; the stop comes from outside or is the program's own.
        let driver = builtProduct("TerminalDriver")
        let script = """
            \(driver) raw; echo stopped=$? $(stty -a | tr ' ' '\\n' | grep icanon); fg
            echo $(stty -a | tr ' ' '\\n' | grep icanon)
            """
        try terminal.start(
            ["/bin/bash", "--norc", "-i", "-c", script],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        try terminal.wait(for: "ready\r\n")
        if isStoppedFromOutside { try stopChild() } else { terminal.type("s") }
        try terminal.wait(for: "stopped=148 icanon")
        try terminal.wait(until: terminal.isRaw, "raw mode")
        if !isStoppedFromOutside { try terminal.wait(for: "resumed") }
        terminal.type("xq")
        try terminal.wait(for: "byte 120")
        try terminal.wait(for: "left")
        #expect(try terminal.waitForEnd() == .exited(0))
        #expect(!terminal.isRaw)
    }

    @Test func `a signal in the background ends the program and leaves the shell's modes`() throws {
        let script = """
            \(builtProduct("TerminalDriver")) raw; bg; wait %1; stty -echo
            kill -TERM %1; kill -CONT %1; wait %1
            echo ended=$? $(stty -a | tr ' ' '\\n' | grep -x -e '-echo')
            """
        try terminal.start(
            ["/bin/bash", "--norc", "-i", "-c", script],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        try terminal.wait(for: "ready\r\n")
        try stopChild()
        try terminal.wait(for: "ended=143 -echo")
    }

    /// Stops the program that the terminal listens to.
    private func stopChild() throws {
        let group = terminal.foregroundGroup
        try #require(group > 1)
        kill(-group, SIGTSTP)
    }

    @Test func `what is no terminal cannot be raw`() throws {
        try terminal.start(
            [builtProduct("TerminalDriver"), "raw"],
            redirections: [0: "/dev/null"]
        )
        try terminal.wait(for: "local: tcgetattr: Inappropriate ioctl for device")
    }
}

struct WindowSizeTests {
    @Test func `a terminal tells its size and what is none does not`() {
        let terminal = PseudoTerminal(columns: 132, rows: 43)
        #expect(WindowSize.of(terminal.number) == WindowSize(columns: 132, rows: 43))
        terminal.resize(columns: 20, rows: 10)
        #expect(WindowSize.of(terminal.number) == WindowSize(columns: 20, rows: 10))
        #expect(WindowSize.of(-1) == nil)
    }
}
