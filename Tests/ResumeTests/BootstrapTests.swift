import Foundation
import Testing

@testable import Resume

@Suite struct BootstrapTests {
    private static let shells = [
        "/bin/sh", "/bin/bash", "/bin/dash", "/bin/zsh", "/usr/bin/fish", "/bin/csh", "/bin/tcsh",
        "/bin/ksh",
    ].filter { FileManager.default.isExecutableFile(atPath: $0) }

    @Test("The request is one line with nothing in it that a shell might read in its own way")
    func line() {
        let command = Bootstrap.command
        #expect(command.utf8.count < 400)
        #expect(!command.contains { "\n!\\`".contains($0) })
        #expect(command.filter { $0 == "'" }.count == 2)
        // An echo of it, or of the body, is not the magic line.
        #expect(!command.contains("EC2SH-RESUME "))
        #expect(!String(decoding: Bootstrap.body, as: UTF8.self).contains("EC2SH-RESUME "))
        #expect(Bootstrap.body.starts(with: Array("exit -97\n".utf8)))
        // All of it fits into the first packets of a connection, which are 14,600 bytes.
        #expect(Bootstrap.body.count < 14_000)
    }

    @Test("Each shell understands the request", arguments: shells)
    func shell(_ path: String) throws {
        let run = HostRun(HostRun.command("echo $((6*7))")) { try HostLink(shell: path) }
        try run.finish()
        #expect(run.failure == nil && run.text == "42\n" && run.exit == .status(0))
    }

    @Test("A shell that a forced command put in its place does nothing", arguments: shells)
    func forcedShell(_ path: String) throws {
        let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let text = "touch \(scratch.path)"
        let run = HostRun(HostRun.command(text)) { try HostLink(shell: path, options: []) }
        run.input = Array("\n\(text)\n".utf8)
        try run.run()
        #expect(run.session.started == .no)
        #expect(run.attachments.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: scratch.path))
        #expect(run.session.inputToTakeBack == run.input)
    }

    @Test("A forced command that gives back what it gets, or says no, has started nothing")
    func forcedCommand() throws {
        let echo = HostRun(HostRun.command("true")) { try HostLink(running: "head -c 13000") }
        try echo.run()
        #expect(echo.session.started == .no)
        let refuse = HostRun(HostRun.command("true")) {
            try HostLink(running: "echo 'unsupported: \(Bootstrap.command.filter { $0 != "'" })'")
        }
        try refuse.run()
        #expect(refuse.session.started == .no)
    }

    @Test("A host without Python says so")
    func noPython() throws {
        let command = Bootstrap.command(pythons: "/nonexistent/python3 /nonexistent/python")
        let run = HostRun(HostRun.command("true")) { try HostLink(running: command) }
        try run.run()
        #expect(run.refusal?.code == .cannotStart)
        #expect(run.session.started == .no)
    }
}
