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
        var rest = Array(text.utf8)[...]
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var hasEnded = false
        var isShut = false
        let deadline = readClock() + .seconds(20)
        while !hasEnded, readClock() < deadline {
            if !rest.isEmpty,
                case .done(let count) = try rest.withUnsafeBytes({ try write(socket.number, $0) })
            {
                rest = rest.dropFirst(count)
                if rest.isEmpty { try shutDownWriting(socket.number) }
            } else if text.isEmpty, !isShut {
                isShut = true
                try shutDownWriting(socket.number)
            }
            let attempt = try buffer.withUnsafeMutableBytes { try read(socket.number, into: $0) }
            if case .done(let count) = attempt {
                answer += buffer[..<count]
                hasEnded = count == 0
            } else {
                try poller.turn(until: readClock() + .milliseconds(5))
            }
        }
        return String(decoding: answer, as: UTF8.self)
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

    @Test func `a command gets pipes as from ssh, not a socket`() throws {
        let kinds = "for n in 0 1; do stat -L -c %F /proc/self/fd/$n; done"
        #expect(try exchange(way("sh -c '\(kinds)'"), "") == "fifo\nfifo\n")
    }

    @Test func `much is carried both ways at once`() throws {
        let text = String(repeating: "0123456789abcdef", count: 60_000)
        #expect(try exchange(way("cat"), text) == text)
    }

    @Test func `the end of the connection is told to the command`() throws {
        let way = try way("sleep 100")
        guard let socket = try poller.open(way) else { return }
        way.end()
        // The command's end of its pipe is closed when SIGHUP has ended it.
        var byte: UInt8 = 0
        let end = try poller.wait(until: readClock() + .seconds(20)) {
            try withUnsafeMutableBytes(of: &byte) { try read(socket.number, into: $0) }
        }
        #expect(end == 0)
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

    @Test func `the connection on our own streams is refused clearly`() throws {
        let error = #expect(throws: WayError.self) { try way("-") }
        #expect(error?.words == nil)
        #expect(error?.summary.hasPrefix("ProxyCommand=- ") == true)
    }

    @Test func `a shell that does not exist is named`() throws {
        let error = #expect(throws: WayError.self) { try way("cat", shell: "/no/shell") }
        #expect(error?.words == ["/no/shell: No such file or directory"])
    }
}
