import Glibc
import Testing

@testable import SSH

/// libssh's own calls, made here in its place.
@Suite struct ReadAheadTests {
    private let ours: Int32
    private let theirs: Int32
    private let other: Int32
    private let ahead: ReadAhead

    init() throws {
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        ours = pair[0]
        theirs = pair[1]
        other = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        ahead = ReadAhead(socket: ours)
    }

    private func receive(_ count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let received = recv(ours, &buffer, count, 0)
        return Array(buffer.prefix(max(0, received)))
    }

    private func close() {
        for number in [ours, theirs, other] { Glibc.close(number) }
    }

    @Test func `all that is there is read at once, and given in the pieces asked for`() {
        defer { close() }
        let sent = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(send(theirs, sent, sent.count, 0) == sent.count)
        var received: [UInt8] = []
        ahead.during {
            received += receive(4096)
            // Nothing is left in the socket itself.
            var left: Int32 = -1
            #expect(ioctl(ours, UInt(FIONREAD), &left) == 0)
            #expect(left == 0)
            #expect(!ahead.isEmpty)
            received += receive(4096)
            received += receive(4096)
        }
        #expect(ahead.isEmpty)
        #expect(received == sent)
    }

    @Test func `poll tells of bytes that only the buffer has`() {
        defer { close() }
        #expect(send(theirs, [1, 2, 3] as [UInt8], 3, 0) == 3)
        ahead.during {
            _ = receive(1)
            var alone = [pollfd(fd: ours, events: Int16(POLLIN | POLLOUT), revents: 0)]
            #expect(poll(&alone, 1, -1) == 1)
            #expect(alone[0].revents == Int16(POLLIN))
            var both = [
                pollfd(fd: other, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ours, events: Int16(POLLIN | POLLOUT), revents: 0),
            ]
            #expect(poll(&both, 2, -1) == 1)
            #expect(both.map(\.revents) == [0, Int16(POLLIN | POLLOUT)])
            var unrelated = [pollfd(fd: other, events: Int16(POLLIN), revents: 0)]
            #expect(poll(&unrelated, 1, 0) == 0)
        }
        // Outside, nobody would hand the buffer's bytes out.
        var outside = [pollfd(fd: ours, events: Int16(POLLIN), revents: 0)]
        #expect(poll(&outside, 1, 0) == 0)
    }

    @Test func `the end and other sockets are as ever`() {
        defer { close() }
        #expect(send(theirs, [1, 2] as [UInt8], 2, 0) == 2)
        #expect(send(ours, [9] as [UInt8], 1, 0) == 1)
        shutdown(theirs, Int32(SHUT_WR))
        ahead.during {
            var byte: UInt8 = 0
            #expect(receive(1) == [1])
            #expect(recv(theirs, &byte, 1, 0) == 1)
            #expect(byte == 9)
            #expect(receive(9) == [2])
            #expect(receive(9) == [])
        }
    }
}
