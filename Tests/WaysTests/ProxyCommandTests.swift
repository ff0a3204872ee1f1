import Foundation
import Posix
import Testing

@testable import Ways

@Suite(.serialized)
struct ProxyCommandTests {
    let told = Told()
    let poller: Poller

    init() throws { poller = Poller(signals: try Signals()) }

    private func way(
        _ command: String,
        shell: String? = nil,
        _ change: (inout ProxyCommandParameters) -> Void = { _ in }
    ) throws -> ProxyCommandWay {
        var parameters = ProxyCommandParameters(command, shell: shell)
        change(&parameters)
        return try ProxyCommandWay(parameters, trace: told.trace)
    }

    /// Sends bytes through a way and gives what comes back up to its end.
    private func exchange(_ way: ProxyCommandWay, _ text: String) throws -> String {
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            return "not open"
        }
        try writeAll(socket.number, Array(text.utf8))
        try shutDownWriting(socket.number)
        try setNonBlocking(socket.number, false)
        return String(decoding: try readToEnd(socket.number, limit: 1 << 20) ?? [], as: UTF8.self)
    }

    @Test func `a command carries the bytes`() throws {
        let way = try way("cat")
        #expect(try exchange(way, "SSH-2.0-x\r\n") == "SSH-2.0-x\r\n")
        #expect(told.lines == ["debug1: Executing proxy command: exec cat"])
        #expect(way.peer == nil)
        way.end()
    }

    @Test func `the user's shell understands the command`() throws {
        #expect(try exchange(way("sh -c 'echo a; echo $0' b", shell: "/bin/bash"), "") == "a\nb\n")
    }

    @Test(
        arguments: [
            ([:], ["SHLVL": "1"]), (["SHLVL": "0"], ["SHLVL": "1"]),
            (["SHLVL": "x"], ["SHLVL": "1"]),
            (["SHLVL": "1"], [:]), (["SHLVL": "3"], [:]),
        ] as [([String: String], [String: String?])]
    )
    func `a shell that nobody counted is counted`(
        environment: [String: String],
        changes: [String: String?]
    ) {
        #expect(shellLevelChanges(environment) == changes)
    }

    @Test(
        arguments: [([:], "from bashrc\n"), (["SHLVL": "1"], "")] as [([String: String], String)]
    )
    func `an uncounted bash with a socket takes itself for a remote one`(
        variables: [String: String],
        output: String
    ) throws {
        let home = FileManager.default.temporaryDirectory
            .appendingPathComponent("proxy-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let file = home.appendingPathComponent(".bashrc")
        try "echo from bashrc\n".write(to: file, atomically: false, encoding: .utf8)

        let pair = try makeSocketPair()
        var command = Command("/bin/bash", ["-c", "true"])
        command.environment = .only(variables.merging(["HOME": home.path]) { $1 })
        let number = pair.far.number
        let child = try spawn(command, input: .descriptor(number), output: .descriptor(number))
        #expect(child.wait()?.isSuccess == true)
        try shutDownWriting(number)
        let bytes = try readToEnd(pair.near.number, limit: 100) ?? []
        #expect(String(decoding: bytes, as: UTF8.self) == output)
    }

    @Test func `the end of the connection is told to the command`() throws {
        let way = try way("sleep 100")
        guard let socket = try poller.open(way) else { return }
        way.end()
        // The command's end of the socket is closed when SIGHUP has ended it.
        try setNonBlocking(socket.number, false)
        #expect(try readToEnd(socket.number, limit: 100) == [])
    }

    @Test func `a command that hands over a descriptor ends and leaves it`() throws {
        let script = """
            import os, socket
            s = socket.socket(fileno=1)
            a, b = socket.socketpair()
            b.sendall(b'handed over')
            socket.send_fds(s, [b'\\0'], [a.fileno()])
            """
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("dialer-\(UUID().uuidString).py")
        try script.write(to: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let way = try way("python3 \(file.path)") { $0.passesDescriptor = true }
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        try setNonBlocking(socket.number, false)
        let bytes = try readToEnd(socket.number, limit: 100) ?? []
        #expect(String(decoding: bytes, as: UTF8.self) == "handed over")
        #expect(told.lines == ["debug1: Executing proxy dialer command: exec python3 \(file.path)"])
    }

    @Test(arguments: [
        ("true", "mm_receive_fd: recvmsg: expected received 1 got 0"),
        ("echo x", "mm_receive_fd: no message header"),
    ])
    func `a command that hands over nothing has OpenSSH's words`(
        command: String,
        line: String
    ) throws {
        let way = try way(command) { $0.passesDescriptor = true }
        let error = #expect(throws: WayError.self) {
            if try poller.open(way, until: readClock() + .seconds(20)) != nil {
                Issue.record("open")
            }
        }
        #expect(error?.words == [line, "proxy dialer did not pass back a connection"])
        #expect(error?.outcome == .proxyFailed)
    }

    @Test func `a shell that does not exist is named`() throws {
        let error = #expect(throws: WayError.self) { try way("cat", shell: "/no/shell") }
        #expect(error?.words == ["/no/shell: No such file or directory"])
    }
}
