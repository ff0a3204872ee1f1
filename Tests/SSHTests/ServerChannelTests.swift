import Foundation
import Posix
import SSH
import TestSupport
import Testing

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct ServerChannelTests {
    let it: SessionFixture

    init() throws {
        it = try SessionFixture()
        try it.logIn()
    }

    @Test func aPortTheServerListensOnBringsItsConnections() throws {
        let session = it.session
        var received: [UInt8] = []
        var taken: (any Channel)?
        session.serverChannels.onForwardedTCP = { request in
            #expect(request.listener?.host == "localhost")
            #expect(request.originHost == "127.0.0.1")
            return { channel in
                taken = channel
                channel.onData = { data, _ in
                    received += data
                    return data.count
                }
            }
        }
        let port = try it.wait { try session.listen(host: "localhost", port: 0) }
        #expect(port > 1023)
        let sent = Array((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let client = try connectedSocket(port)
        #expect(try sendAll(client.number, sent, turning: it.poller))
        try shutDownWriting(client.number)
        try it.wait(until: { taken?.remoteEOF == true })
        #expect(received == sent)
        let channel = try #require(taken)
        try it.wait {
            try [UInt8]("done".utf8).withUnsafeBytes { try channel.write($0) } > 0
                ? .done(()) : .again
        }
        try it.wait { channel.close() }
        var answer: [UInt8] = []
        try it.wait(until: { readAll(client.number, into: &answer) })
        #expect(answer == Array("done".utf8))
        #expect(try it.wait { try session.cancelListen(host: "localhost", port: port) })
    }

    @Test func requestsForPortsAndKeepalivesDoNotTakeEachOthersAnswers() throws {
        let session = it.session
        session.sendKeepalive()
        let first = try it.wait { try session.listen(host: "localhost", port: 0) }
        session.sendKeepalive()
        session.sendKeepalive()
        let second = try it.wait { try session.listen(host: "localhost", port: 0) }
        #expect(first != second && first > 1023 && second > 1023)
        session.sendKeepalive()
        #expect(throws: SSHError.listenRefused) {
            try it.wait { try session.listen(host: "localhost", port: first) }
        }
        session.sendKeepalive()
        #expect(try it.wait { try session.cancelListen(host: "localhost", port: first) })
        #expect(try !it.wait { try session.cancelListen(host: "localhost", port: first) })
    }

    @Test func thePortIsKnownAlthoughOtherPacketsComeWithTheAnswer() throws {
        let session = it.session
        let channel = session.openSession()
        channel.onData = { data, _ in data.count }
        try it.wait(channel.open)
        try it.wait { try channel.execute(Array("cat /dev/zero".utf8)) }
        for _ in 0..<20 {
            let port = try it.wait { try session.listen(host: "127.0.0.1", port: 0) }
            #expect(it.server.log.contains("allocated port \(port)") || port > 1023)
            #expect(try it.wait { try session.cancelListen(host: "127.0.0.1", port: port) })
        }
    }

    @Test func requestsUnderWayTogetherAreAnsweredEach() throws {
        let session = it.session
        var ports: [String: UInt16] = [:]
        try it.wait {
            for host in ["localhost", "127.0.0.1", "::1"] where ports[host] == nil {
                if case .done(let port) = try session.listen(host: host, port: 0) {
                    ports[host] = port
                }
            }
            return ports.count == 3 ? .done(()) : .again
        }
        #expect(Set(ports.values).count == 3)
    }

    @Test func whatNobodyTakesIsRefused() throws {
        let session = it.session
        var refused = 0
        session.onServerOpenedChannel = { refused += 1 }
        let port = try it.wait { try session.listen(host: "127.0.0.1", port: 0) }
        let client = try connectedSocket(port)
        var answer: [UInt8] = []
        try it.wait(until: { readAll(client.number, into: &answer) })
        #expect(answer.isEmpty)
        #expect(refused == 1)
        #expect(session.isConnected)
    }
}

/// A blocking connection to a port of this machine, made non-blocking.
func connectedSocket(_ port: UInt16) throws -> Descriptor {
    let address = NameQuery(host: "127.0.0.1", port: port).numericAnswer()?.addresses.first
    let socket = try makeStreamSocket(.ipv4)
    if case .again = try beginConnecting(socket.number, to: #require(address)) {
        try waitFor(socket.number, .write, until: readClock() + .seconds(5))
        try finishConnecting(socket.number)
    }
    return socket
}

/// Sends all bytes while a loop goes on.
func sendAll(_ number: Int32, _ bytes: [UInt8], turning poller: Poller) throws -> Bool {
    var rest = bytes[...]
    let deadline = readClock() + .seconds(10)
    while !rest.isEmpty, readClock() < deadline {
        if case .done(let count) = try rest.withUnsafeBytes({ try write(number, $0) }) {
            rest = rest.dropFirst(count)
        }
        try poller.turn(until: readClock() + .milliseconds(5))
    }
    return rest.isEmpty
}

/// Reads what is there.
/// - Returns: whether the end was read.
func readAll(_ number: Int32, into bytes: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let result = try? buffer.withUnsafeMutableBytes { try read(number, into: $0) }
        switch result {
        case .done(0), nil: return true
        case .done(let count): bytes += buffer.prefix(count)
        case .again: return false
        }
    }
}
