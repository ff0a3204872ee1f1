import Glibc
import Testing

@testable import Posix

struct SocketsTests {
    private func loopback(_ family: SocketFamily) throws -> SocketAddress {
        let query = NameQuery(host: family == .ipv4 ? "127.0.0.1" : "::1", port: 0)
        return try #require(query.numericAnswer()?.addresses.first)
    }

    @Test(arguments: [SocketFamily.ipv4, .ipv6])
    func `a connection is made without waiting and knows both its ends`(
        family: SocketFamily
    ) throws {
        let listener = try listen(on: loopback(family))
        let address = try localAddress(of: listener.number)
        let socket = try makeStreamSocket(family)
        try setTrafficClass(socket.number, 0x48)
        if case .again = try beginConnecting(socket.number, to: address) {
            try waitFor(socket.number, .write, until: readClock() + .seconds(10))
        }
        try finishConnecting(socket.number)
        try setNoDelay(socket.number)
        try setKeepAlive(socket.number)
        #expect(try peerAddress(of: socket.number) == address)
        #expect(address.isLoopback)
        #expect(address.port != 0)

        try waitFor(listener.number, .read, until: readClock() + .seconds(10))
        guard let other = try acceptConnection(listener.number) else {
            Issue.record("nobody came")
            return
        }
        #expect(try peerAddress(of: other.number) == localAddress(of: socket.number))
        if try acceptConnection(listener.number) != nil { Issue.record("somebody came twice") }
        try shutDownWriting(other.number)
        try waitFor(socket.number, .read, until: readClock() + .seconds(10))
        #expect(try readToEnd(socket.number, limit: 10) == [])
    }

    @Test func `a port that nobody listens on is refused`() throws {
        var address = try loopback(.ipv4)
        do {
            let listener = try listen(on: address)
            address = try localAddress(of: listener.number)
        }
        let socket = try makeStreamSocket(.ipv4)
        let error = #expect(throws: SystemError.self) {
            if case .again = try beginConnecting(socket.number, to: address) {
                try waitFor(socket.number, .write, until: readClock() + .seconds(10))
            }
            try finishConnecting(socket.number)
        }
        #expect(error?.code == ECONNREFUSED)
    }

    @Test func `a local socket has its path as its address`() throws {
        let scratch = Scratch()
        let path = "\(scratch.path)/s"
        let address = try #require(SocketAddress(path: path))
        #expect(address.host == path)
        let listener = try listen(on: address)
        let socket = try makeStreamSocket(.local)
        guard case .done = try beginConnecting(socket.number, to: address) else {
            Issue.record("has to wait")
            return
        }
        if try acceptConnection(listener.number) == nil { Issue.record("nobody came") }
        #expect(SocketAddress(path: String(repeating: "x", count: 108)) == nil)
        #expect(SocketAddress(path: String(repeating: "x", count: 107)) != nil)
        #expect(SocketAddress(path: "") == nil)
    }

    @Test func `an address keeps its host with another port`() throws {
        let address = try loopback(.ipv6).with(port: 0xABCD)
        #expect(address.port == 0xABCD)
        #expect(address.host == "::1")
        #expect(
            NameQuery(host: "10.0.0.1", port: 1).numericAnswer()?.addresses[0].isLoopback == false
        )
        #expect(NameQuery(host: "::2", port: 1).numericAnswer()?.addresses[0].isLoopback == false)
    }

    @Test func `the loopback interface lends its address when it has no better one`() throws {
        #expect(try interfaceAddress("lo", .ipv4)?.host == "127.0.0.1")
        #expect(try interfaceAddress("no-such-interface", .ipv4) == nil)
        #expect(try interfaceAddresses().contains { $0.isLoopback && $0.isUp })
    }

    @Test func `a descriptor goes through a local socket and arrives open`() throws {
        let pair = try makeSocketPair()
        try setNonBlocking(pair.near.number)
        guard case .again = try receiveDescriptor(pair.near.number) else {
            Issue.record("received what was not sent")
            return
        }
        let pipe = try makePipe()
        guard case .done = try sendDescriptor(pipe.far.number, over: pair.far.number),
            case .descriptor(let received) = try receiveDescriptor(pair.near.number)
        else {
            Issue.record("did not arrive")
            return
        }
        #expect(received.number != pipe.far.number)
        #expect(fcntl(received.number, F_GETFD) == FD_CLOEXEC)
        try writeAll(received.number, [7])
        var byte: UInt8 = 0
        #expect(read(pipe.near.number, &byte, 1) == 1 && byte == 7)
    }

    @Test func `bytes without a descriptor and an end are no descriptor`() throws {
        let pair = try makeSocketPair()
        let near = pair.near
        let far = pair.far
        try writeAll(far.number, [0])
        let bare = #expect(throws: SystemError.self) { _ = try receiveDescriptor(near.number) }
        #expect(bare?.code == EBADMSG)
        try shutDownWriting(far.number)
        let end = #expect(throws: SystemError.self) { _ = try receiveDescriptor(near.number) }
        #expect(end?.code == ENOTCONN)
    }

    @Test func `python's socket library sends a descriptor that we take`() throws {
        let pair = try makeSocketPair()
        let script = """
            import os, socket
            s = socket.socket(fileno=0)
            r, w = os.pipe()
            os.write(w, b'from python')
            socket.send_fds(s, [b'\\0'], [r])
            """
        let child = try spawn(
            Command("python3", ["-c", script]),
            input: .descriptor(pair.far.number)
        )
        #expect(child.wait() == .exited(0))
        guard case .descriptor(let received) = try receiveDescriptor(pair.near.number) else {
            Issue.record("did not arrive")
            return
        }
        #expect(try readToEnd(received.number, limit: 100) == Array("from python".utf8))
    }
}
