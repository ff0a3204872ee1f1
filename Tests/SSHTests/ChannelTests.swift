import Foundation
import Posix
import SSH
import TestSupport
import Testing

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct ChannelTests {
    let it: SessionFixture

    init() throws {
        it = try SessionFixture()
        try it.logIn()
    }

    @Test func aCommandsOutputErrorAndStatusArriveExactly() throws {
        let run = try it.run("printf out; printf err >&2; exit 7")
        #expect(run.output == Array("out".utf8))
        #expect(run.error == Array("err".utf8))
        #expect(run.channel.exitStatus == 7)
        #expect(run.channel.exitSignal == nil)
    }

    @Test func aProcessThatDiesOfASignalHasNoStatus() throws {
        let run = try it.run("kill -TERM $$")
        #expect(run.channel.exitStatus == nil)
        #expect(run.channel.exitSignal?.name == "TERM")
    }

    @Test func bytesComeBackAsTheyWereSentAndEOFIsHalfAClose() throws {
        let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let run = try it.run("cat", input: sent)
        #expect(run.output == sent)
        #expect(run.channel.exitStatus == 0)
    }

    @Test func whatASinkDoesNotTakeIsKeptInOrder() throws {
        let channel = it.session.openSession()
        var output: [UInt8] = []
        var room = 0
        channel.onData = { data, _ in
            let count = min(room, data.count)
            output += data.prefix(count)
            room -= count
            return count
        }
        try it.wait(channel.open)
        try it.wait { try channel.execute(Array("seq 1 200000".utf8)) }
        let deadline = readClock() + .seconds(10)
        while !channel.isClosed && readClock() < deadline {
            room = 5_000
            channel.drain()
            room = 1_000
            try it.poller.turn(until: readClock())
        }
        #expect(String(decoding: output, as: UTF8.self).split(separator: "\n").count == 200_000)
        #expect(output.hasPrefix("1\n2\n3\n") && output.hasSuffix("199999\n200000\n"))
    }

    @Test func theServerIsLetSendAsMuchAsOpenSSHLetsIt() throws {
        let it = try SessionFixture(["LogLevel DEBUG3"])
        try it.logIn()
        let channel = it.session.openSession()
        var received = 0
        channel.onData = { _, _ in 0 }
        try it.wait(channel.open)
        try it.wait { try channel.execute(Array("head -c 9000000 /dev/zero".utf8)) }
        // From libssh's 64,000 to 2 MiB, and more where answers come slowly.
        try it.wait(until: { granted(it.server.log) >= 2_033_152 })
        channel.onData = { data, _ in
            received += data.count
            return data.count
        }
        try it.wait {
            channel.drain()
            return channel.isClosed ? .done(()) : .again
        }
        #expect(received == 9_000_000)
    }

    /// The bytes that the server was granted in all, by its own log.
    private func granted(_ log: String) -> Int {
        log.components(separatedBy: "rcvd adjust ").dropFirst()
            .reduce(0) { $0 + (Int($1.prefix { $0.isNumber }) ?? 0) }
    }

    @Test func aRefusedOpenTellsTheServersReason() throws {
        let channel = it.session.openDirectTCP(host: "127.0.0.1", port: 1)
        #expect(throws: SSHError.openRefused(code: 2, text: "Connection refused")) {
            try it.wait(channel.open)
        }
        #expect(it.session.isConnected)
    }
}

extension [UInt8] {
    func hasPrefix(_ text: String) -> Bool { starts(with: text.utf8) }
    func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
