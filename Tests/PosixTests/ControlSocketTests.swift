import Glibc
import Testing

@testable import Posix

struct ControlSocketTests {
    private let directory = "/tmp/control-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    private func path(_ name: String) -> [UInt8] { Array("\(directory)/\(name)".utf8) }

    private func withDirectory(_ body: () throws -> Void) throws {
        mkdir(directory, 0o755)
        defer {
            for name in ["s", "t", "u"] { try? removeFile(rawPath: path(name)) }
            rmdir(directory)
        }
        try body()
    }

    @Test func `a control socket is for its owner alone and takes its name only once`() throws {
        try withDirectory {
            let first = try listenLocal(path("s"), temporary: path("t"), backlog: 1)
            let facts = try fileFacts(path: "\(directory)/s")
            #expect(facts.kind == .socket)
            #expect(facts.mode == 0o600)
            #expect(throws: SystemError("link", code: EEXIST)) {
                _ = try listenLocal(path("s"), temporary: path("t"), backlog: 1).number
            }
            #expect(problem(withRawPath: path("t"))?.code == ENOENT)
            let client = try connectLocal(path("s"))
            try waitFor(first.number, .read, until: readClock() + .seconds(5))
            guard let accepted = try acceptConnection(first.number) else {
                Issue.record("nobody came")
                return
            }
            #expect(try peerUser(of: accepted.number) == User.effectiveID)
            #expect(try peerUser(of: client.number) == User.effectiveID)
        }
    }

    @Test func `who is not there, does not listen or is too far is told apart`() throws {
        try withDirectory {
            #expect(throws: SystemError("connect", code: ENOENT)) {
                _ = try connectLocal(path("s")).number
            }
            do { _ = try listenLocal(path("s"), temporary: path("t"), backlog: 1).number }
            #expect(throws: SystemError("connect", code: ECONNREFUSED)) {
                _ = try connectLocal(path("s")).number
            }
            #expect(throws: SystemError("connect", code: ENAMETOOLONG)) {
                _ = try connectLocal(Array(repeating: 0x61, count: 108)).number
            }
        }
    }

    @Test func `a passed pipe is closed with its stream, in both its openings`() throws {
        let pair = try makeSocketPair()
        let pipe = try makePipe()
        guard case .done = try sendDescriptor(pipe.far.number, over: pair.near.number),
            case .descriptor(let passed) = try receiveDescriptor(pair.far.number)
        else {
            Issue.record("the descriptor did not pass")
            return
        }
        let stream = StandardStream(passed: passed, .output)
        #expect(stream.manner == .plain)
        let near = pipe.near.number
        try setNonBlocking(near)
        close(pipe.far.number)
        var byte: UInt8 = 0
        #expect(Glibc.read(near, &byte, 1) == -1 && errno == EAGAIN)
        stream.close()
        #expect(Glibc.read(near, &byte, 1) == 0)
    }

    @Test func `who parts from another process is not woken by its signals`() throws {
        let signals = try Signals()
        let copy = dup(signals.wakeUp)
        defer { close(copy) }
        try signals.part()
        signals.catchSignal(.windowChange)
        kill(getpid(), SIGWINCH)
        try waitFor(signals.wakeUp, .read, until: readClock() + .seconds(5))
        var byte: UInt8 = 0
        #expect(Glibc.read(copy, &byte, 1) == 0)
        signals.refresh()
        #expect(signals.count(of: .windowChange) == 1)
        #expect(signals.take(.windowChange) && signals.count(of: .windowChange) == 1)
        signals.restoreDefault(.windowChange)
    }
}
