import Foundation
import Glibc
import TestSupport
import Testing

@testable import Terminal

struct AskpassRuleTests {
    struct Row: Sendable {
        var variables: [String: String]
        var isAllowed: Bool
        var isPreferred: Bool
    }

    @Test(arguments: [
        Row(variables: [:], isAllowed: false, isPreferred: false),
        Row(variables: ["DISPLAY": ""], isAllowed: false, isPreferred: false),
        Row(variables: ["DISPLAY": ":0"], isAllowed: true, isPreferred: false),
        Row(variables: ["SSH_ASKPASS_REQUIRE": "force"], isAllowed: true, isPreferred: true),
        Row(variables: ["SSH_ASKPASS_REQUIRE": "Force"], isAllowed: true, isPreferred: true),
        Row(variables: ["SSH_ASKPASS_REQUIRE": "prefer"], isAllowed: false, isPreferred: false),
        Row(
            variables: ["SSH_ASKPASS_REQUIRE": "prefer", "DISPLAY": ":0"],
            isAllowed: true,
            isPreferred: true
        ),
        Row(
            variables: ["SSH_ASKPASS_REQUIRE": "never", "DISPLAY": ":0"],
            isAllowed: false,
            isPreferred: false
        ),
        Row(
            variables: ["SSH_ASKPASS_REQUIRE": "other", "DISPLAY": ":0"],
            isAllowed: true,
            isPreferred: false
        ),
    ])
    func `the environment decides about askpass as in OpenSSH`(row: Row) {
        let rule = AskpassRule(row.variables)
        #expect(rule.isAllowed == row.isAllowed)
        #expect(rule.isPreferred == row.isPreferred)
    }
}

/// Each test drives a program in a terminal of its own.
struct PrompterTests {
    let terminal = PseudoTerminal()

    private func startAndAwaitPrompt(_ kind: String = "secret") throws {
        // Swift's runtime would show a backtrace of what SIGQUIT ends.
        let variables = ["SWIFT_BACKTRACE": "enable=no"]
        try terminal.start([builtProduct("TerminalDriver"), "ask", kind], environment: variables)
        try terminal.wait(for: "prompt: ")
    }

    @Test func `a secret is not shown while it is typed and the terminal is as before`() throws {
        try startAndAwaitPrompt()
        #expect(!terminal.hasEcho)
        terminal.type("s3cret\r")
        #expect(try terminal.wait(for: "answer=<s3cret>") == "\r\n")
        #expect(try terminal.waitForEnd() == .exited(0))
        #expect(terminal.hasEcho)
        #expect(terminal.transcript == "\rprompt: \r\nanswer=<s3cret>\r\n")
    }

    @Test func `what is no secret is shown while it is typed`() throws {
        try startAndAwaitPrompt("visible")
        #expect(terminal.hasEcho)
        terminal.type("yes\r")
        #expect(try terminal.wait(for: "answer=<yes>") == "yes\r\n")
    }

    @Test func `what was typed before the question is dropped`() throws {
        terminal.type("early\n")
        try startAndAwaitPrompt()
        terminal.type("late\n")
        try terminal.wait(for: "answer=<late>")
    }

    @Test func `the line can be edited`() throws {
        try startAndAwaitPrompt()
        terminal.type("wrong\u{15}righx\u{7f}t\n")
        try terminal.wait(for: "answer=<right>")
    }

    @Test func `an empty line is an answer and the end of input is none`() throws {
        try startAndAwaitPrompt()
        terminal.type("\n")
        try terminal.wait(for: "answer=<>")
        let other = PseudoTerminal()
        try other.start([builtProduct("TerminalDriver"), "ask"], environment: [:])
        try other.wait(for: "prompt: ")
        other.type("\u{4}")
        try other.wait(for: "no answer")
        try other.waitForEnd()
        #expect(other.hasEcho)
    }

    @Test func `an answer has at most 1023 bytes`() throws {
        try startAndAwaitPrompt()
        terminal.type(String(repeating: "x", count: 1500) + "\n")
        try terminal.wait(for: "answer=<" + String(repeating: "x", count: 1023) + ">")
    }

    @Test(arguments: [("\u{3}", SIGINT), ("\u{1c}", SIGQUIT)])
    func `a key that ends the program leaves the terminal as before`(
        key: String,
        signal: Int32
    ) throws {
        try startAndAwaitPrompt()
        terminal.type("half" + key)
        #expect(try terminal.waitForEnd() == .killed(signal))
        #expect(terminal.hasEcho)
    }

    @Test(arguments: [SIGTERM, SIGHUP])
    func `a signal that ends the program leaves the terminal as before`(signal: Int32) throws {
        try startAndAwaitPrompt()
        terminal.send(signal)
        #expect(try terminal.waitForEnd() == .killed(signal))
        #expect(terminal.hasEcho)
    }

    @Test func `Ctrl-Z shows the terminal as before and the question comes again`() throws {
        // Only a process with a parent in its own session can be stopped: a shell of job control.
        try terminal.start(
            [
                "/bin/bash", "--norc", "-i", "-c",
                "\(builtProduct("TerminalDriver")) ask; echo stopped=$?; fg",
            ],
            environment: ["PS1": ""]
        )
        try terminal.wait(for: "prompt: ")
        terminal.type("half\u{1a}")
        try terminal.wait(for: "stopped=148")
        try terminal.wait(for: "prompt: ")
        try terminal.wait(until: !terminal.hasEcho, "no echo")
        terminal.type("whole\n")
        try terminal.wait(for: "answer=<whole>")
        try terminal.waitForEnd()
    }

    @Test func `a terminal that goes away ends the question`() throws {
        try startAndAwaitPrompt()
        terminal.hangUp()
        #expect(try terminal.waitForEnd() == .killed(SIGHUP))
    }
}

struct AskpassTests {
    let terminal = PseudoTerminal()
    let program: String
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("askpass-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        program = directory.appendingPathComponent("askpass").path
    }

    private func ask(_ script: String, _ kind: String = "secret") throws -> String {
        try writeExecutable(program, "#!/bin/sh\n" + script)
        let variables = ["SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"]
        try terminal.start([builtProduct("TerminalDriver"), "ask", kind], environment: variables)
        defer { try? FileManager.default.removeItem(at: directory) }
        try terminal.waitForEnd()
        return terminal.transcript
    }

    @Test func `the program's first line is the answer`() throws {
        let shown = try ask("echo \"for $1 hint=$SSH_ASKPASS_PROMPT.\"; echo more")
        #expect(shown.contains("debug1: read_passphrase: requested to askpass\r\n"))
        #expect(shown.hasSuffix("answer=<for prompt:  hint=.>\r\n"))
    }

    @Test func `a permission is asked for with a hint`() throws {
        #expect(try ask("echo $SSH_ASKPASS_PROMPT", "permission").hasSuffix("answer=<confirm>\r\n"))
    }

    @Test func `a program that fails has no answer`() throws {
        #expect(try ask("echo secret; exit 1").hasSuffix("no answer\r\n"))
    }

    @Test func `a program that is missing says so`() throws {
        try terminal.start(
            [builtProduct("TerminalDriver"), "ask"],
            environment: ["SSH_ASKPASS": "/no/askpass", "SSH_ASKPASS_REQUIRE": "force"]
        )
        try terminal.wait(for: "ssh_askpass: exec(/no/askpass): No such file or directory\r\n")
        try terminal.wait(for: "no answer")
    }

    @Test func `a permission is refused where no program may ask`() throws {
        try terminal.start(
            [builtProduct("TerminalDriver"), "ask", "permission"],
            environment: ["SSH_ASKPASS": "/bin/true", "SSH_ASKPASS_REQUIRE": "never"]
        )
        try terminal.wait(for: "no answer")
    }
}
