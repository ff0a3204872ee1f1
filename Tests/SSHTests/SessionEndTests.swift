import Faults
import Foundation
import Posix
import SSH
import TestSupport
import Testing

/// Connections that end, by us or by the server, at odd times.
@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct SessionEndTests {
    @Test func aServerThatGoesAwayIsAFailureAndNotTheEndOfACommand() throws {
        let it = try SessionFixture()
        try it.logIn()
        let channel = it.session.openSession()
        var output: [UInt8] = []
        channel.onData = { data, _ in
            output += data
            return data.count
        }
        try it.wait(channel.open)
        // The command's parent is the sshd of this connection.
        try it.wait { try channel.execute(Array("echo here; read x; kill -9 $PPID".utf8)) }
        try it.wait(until: { !output.isEmpty && channel.canWrite })
        try [UInt8(ascii: "\n")].send(channel)
        try it.wait(until: { it.session.failure != nil })
        #expect(output == Array("here\n".utf8))
        #expect(it.session.failure?.layer == .link)
        #expect(it.session.failure?.words == ["Connection to test closed by remote host."])
        #expect(!channel.isClosed && channel.remoteEOF && !channel.canWrite)
        #expect(!it.session.isConnected)
        let failure = try #require(it.session.failure)
        #expect(throws: failure) { try channel.shell() }
        #expect(throws: failure) { try [UInt8](repeating: 0, count: 1).send(channel) }
        if case .again = channel.close() { Issue.record("there is nobody to wait for") }
    }

    @Test func disconnectingClosesEverythingAtOnce() throws {
        let it = try SessionFixture()
        try it.logIn()
        let channel = it.session.openSession()
        try it.wait(channel.open)
        it.session.disconnect()
        #expect(channel.isClosed && !it.session.isConnected)
        #expect(throws: SSHError.self) { try [UInt8](repeating: 0, count: 1).send(channel) }
        channel.drain()
        channel.sendEOF()
        it.session.disconnect()
    }

    @Test func aChannelMayOutliveWhoeverHeldItsSession() throws {
        var channel: (any Channel)?
        do {
            let it = try SessionFixture()
            try it.logIn()
            let new = it.session.openSession()
            try it.wait(new.open)
            channel = new
            it.poller.remove(it.session)
        }
        #expect((channel as? LibraryChannel)?.session.isConnected == true)
        channel = nil
    }

    @Test(arguments: 0..<8)
    func aSessionMayBeDroppedAtAnyStep(steps: Int) throws {
        let it = try SessionFixture()
        for _ in 0..<steps {
            if case .done = try it.session.connect() { break }
            try it.poller.turn(until: readClock() + .milliseconds(50))
        }
    }

    @Test func aKeyExchangeInTheMiddleLosesNothing() throws {
        let it = try SessionFixture { $0.rekeyBytes = 200_000 }
        try it.logIn()
        let sent = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let run = try it.run("cat", input: sent)
        #expect(run.output == sent)
    }

    @Test func aKeyExchangeCanBeAskedFor() throws {
        var lines: [String] = []
        let server = try SSHDServer()
        let it = try SessionFixture(
            server,
            descriptor: server.connect(),
            trace: Trace(level: .debug1) { lines.append($0) }
        )
        try it.logIn()
        let first = lines.filter { $0.contains("NEWKEYS sent") }.count
        #expect(first == 1)
        it.session.requestRekey()
        try it.wait(until: { lines.filter { $0.contains("NEWKEYS sent") }.count == 2 })
        #expect(try it.run("echo on").output == Array("on\n".utf8))
    }

    @Test func anIdleSessionChangesKeysByTime() throws {
        var lines: [String] = []
        let server = try SSHDServer()
        let it = try SessionFixture(
            server,
            descriptor: server.connect(),
            trace: Trace(level: .debug1) { lines.append($0) }
        ) { $0.rekeySeconds = 1 }
        try it.logIn()
        try it.wait(until: { lines.filter { $0.contains("NEWKEYS sent") }.count == 2 })
    }

    @Test func aKeepaliveBringsAnAnswer() throws {
        let it = try SessionFixture()
        try it.logIn()
        for _ in 0..<3 {
            let before = it.session.packetsReceived
            it.session.sendKeepalive()
            try it.wait(until: { it.session.packetsReceived > before })
        }
    }

    @Test func manyChannelsAtOnceKeepTheirBytesApart() throws {
        let it = try SessionFixture(["MaxSessions 20"])
        try it.logIn()
        var outputs = [String](repeating: "", count: 10)
        let channels = try (0..<10).map { index in
            let channel = it.session.openSession()
            channel.onData = { data, _ in
                outputs[index] += String(decoding: data, as: UTF8.self)
                return data.count
            }
            try it.wait(channel.open)
            try it.wait { try channel.execute(Array("seq \(index) 10 3000".utf8)) }
            return channel
        }
        try it.wait(until: { channels.allSatisfy(\.isClosed) })
        for (index, output) in outputs.enumerated() {
            let expected = stride(from: index, through: 3000, by: 10).map { "\($0)\n" }
            #expect(output == expected.joined())
        }
        #expect(channels.allSatisfy { $0.exitStatus == 0 })
    }
}

extension [UInt8] {
    @discardableResult
    func send(_ channel: any Channel) throws -> Int {
        try withUnsafeBytes { try channel.write($0) }
    }
}
