import Glibc
import Testing

@testable import Posix

/// Any descriptor can stand for a standard one here; its number is all that differs.
struct StandardStreamTests {
    private func read(_ stream: StandardStream, _ count: Int = 100) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = buffer.withUnsafeMutableBytes { bytes in
            Result { () throws(SystemError) in try stream.read(into: bytes) }
        }
        guard case .done(let count) = try got.get() else { return nil }
        return Array(buffer.prefix(count))
    }

    private func write(_ stream: StandardStream, _ bytes: [UInt8]) throws -> Int? {
        let took = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try stream.write(bytes) }
        }
        guard case .done(let count) = try took.get() else { return nil }
        return count
    }

    private func isNonBlocking(_ number: Int32) -> Bool { fcntl(number, F_GETFL) & O_NONBLOCK != 0 }

    @Test func `an empty pipe gives nothing now and its flags stay as they were`() throws {
        let pipe = try makePipe()
        let stream = StandardStream(pipe.near.number, .input)
        #expect(stream.manner == .plain)
        #expect(stream.number != pipe.near.number)
        #expect(try read(stream) == nil)
        #expect(!isNonBlocking(pipe.near.number))
        try writeAll(pipe.far.number, [1, 2])
        #expect(try read(stream) == [1, 2])
        let far = pipe.far
        _ = consume far
        #expect(try read(stream) == [])
    }

    @Test func `a full pipe takes nothing now and its flags stay as they were`() throws {
        let pipe = try makePipe()
        let stream = StandardStream(pipe.far.number, .output)
        var total = 0
        while let count = try write(stream, [UInt8](repeating: 0, count: 8192)) { total += count }
        #expect(total == 65_536)
        #expect(!isNonBlocking(pipe.far.number))
    }

    @Test func `closing shows the end to the reader though the number stays open`() throws {
        let pipe = try makePipe()
        let stream = StandardStream(pipe.far.number, .output)
        #expect(try write(stream, [1]) == 1)
        stream.close()
        stream.close()
        #expect(try readToEnd(pipe.near.number, limit: 10) == [1])
        #expect(fcntl(pipe.far.number, F_GETFD) != -1)
        #expect(stream.number == nil)
        let error = #expect(throws: SystemError.self) { try write(stream, [2]) }
        #expect(error?.code == EPIPE)
    }

    @Test func `closing an input tells the writer that nobody reads`() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = try makePipe()
        let stream = StandardStream(pipe.near.number, .input)
        stream.close()
        #expect(try read(stream) == [])
        let error = #expect(throws: SystemError.self) { try writeAll(pipe.far.number, [1]) }
        #expect(error?.code == EPIPE)
    }

    @Test func `a socket is never waited for and its flags stay as they were`() throws {
        let pair = try makeSocketPair()
        let stream = StandardStream(pair.near.number, .input)
        #expect(stream.manner == .socket)
        #expect(try read(stream) == nil)
        while try write(stream, [UInt8](repeating: 0, count: 10_000)) != nil {}
        #expect(!isNonBlocking(pair.near.number))
        try writeAll(pair.far.number, [5])
        #expect(try read(stream) == [5])
    }

    @Test func `a terminal is read without waiting and its flags stay as they were`() throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        openpty(&master, &slave, nil, nil, nil)
        let main = Descriptor(owning: master)
        let terminal = Descriptor(owning: slave)
        let stream = StandardStream(terminal.number, .input)
        #expect(stream.isTerminal)
        #expect(stream.manner == .plain)
        #expect(try read(stream) == nil)
        #expect(!isNonBlocking(terminal.number))
        try writeAll(main.number, Array("line\n".utf8))
        try waitFor(try #require(stream.number), .read, until: readClock() + .seconds(10))
        #expect(try read(stream) == Array("line\n".utf8))
    }

    @Test func `a file is read and written from where its description stands`() throws {
        let scratch = Scratch()
        let file = try openFile(scratch.file("a", "0123456789"), .device)
        lseek(file.number, 4, SEEK_SET)
        let stream = StandardStream(file.number, .input)
        #expect(stream.number == file.number)
        #expect(try read(stream, 2) == Array("45".utf8))
        #expect(try write(stream, Array("X".utf8)) == 1)
        #expect(scratch.text("a") == "012345X789")
    }

    @Test func `what is not open is at its end`() throws {
        let stream = StandardStream(-1, .input)
        #expect(stream.number == nil)
        #expect(try read(stream) == [])
    }

    @Test func `a pipe that cannot be opened again is written in pieces that poll allows`() throws {
        let pipe = try makePipe()
        let stream = StandardStream(pipe.far.number, .output, reopens: false)
        let near = pipe.near
        var drained = [UInt8](repeating: 0, count: 4096)
        #expect(stream.manner == .careful)
        var total = 0
        while let count = try write(stream, [UInt8](repeating: 0, count: 10_000)) {
            #expect(count == 4096)
            total += count
        }
        #expect(total == 65_536)
        #expect(Glibc.read(near.number, &drained, 4096) == 4096)
        #expect(try write(stream, [UInt8](repeating: 0, count: 10_000)) == 4096)
    }
}
