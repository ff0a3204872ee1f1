import Faults
import Foundation
import Posix
import SSH
import TestSupport
import Testing

/// Servers that do not behave, on the other end of a socket pair.
struct HostileServerTests {
    /// What a session says about a server that sends some bytes and then closes, or goes on.
    private func failure(_ bytes: [UInt8], closes: Bool = true) throws -> SSHError? {
        let pair = try makeSocketPair()
        let server = ServerEnd(try pair.far.duplicate())
        let session = try Session(
            descriptor: try pair.near.duplicate(),
            parameters: SessionParameters(peer: .test),
            trace: Trace(level: .info) { _ in }
        )
        let poller = Poller(signals: try Signals())
        poller.add(session)
        // Beside the loop, as a banner may be longer than the socket's buffer.
        let helper = try Helper {
            try? writeAll(server.descriptor.number, bytes)
            if closes { try? shutDownWriting(server.descriptor.number) }
        }
        defer { _ = helper }
        do {
            let done: Void? = try poller.wait(until: readClock() + .seconds(5)) {
                try session.connect()
            }
            return done == nil ? nil : .refused("connected")
        } catch let error as SSHError {
            // Asked again it says the same, and does nothing.
            #expect(throws: error) { try session.connect() }
            #expect(session.failure == error)
            return error
        }
    }

    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: ["", "\r\n", "SSH-2.0-Open"])
    func closingBeforeTheBannerIsToldApart(sent: String) throws {
        #expect(try failure(text(sent)) == .closedBeforeBanner(.test))
    }

    @Test func aServerOfAnotherProtocolIsQuoted() throws {
        let page = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        let error = try failure(text(page))
        #expect(error == .notSSH(.test, seen: "HTTP/1.1 400 Bad Request"))
        #expect(error?.layer == .transport)
    }

    @Test func escapeSequencesOfAServerAreNotRepeated() throws {
        let error = try failure(text("\u{1b}[2Jboo\r\n"))
        #expect(error == .notSSH(.test, seen: "\\033[2Jboo"))
    }

    @Test func aBannerOfAMegabyteIsRefusedAtOnce() throws {
        let line = [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20)
        let error = try failure(line, closes: false)
        #expect(error == .notSSH(.test, seen: "a line of more than 255 characters"))
    }

    @Test func linesWithoutEndAreNoBanner() throws {
        let line = text("no SSH here\r\n")
        let lines = (0..<5_000).flatMap { _ in line }
        #expect(try failure(lines, closes: false) == .notSSH(.test, seen: "no SSH here"))
    }

    @Test func linesBeforeTheBannerAreAllowed() throws {
        #expect(try failure(text("hello\r\nSSH-2.0-X\r\n")) == .closed(.test))
    }

    @Test func closingAfterTheBannerIsAClosedConnection() throws {
        let error = try failure(text("SSH-2.0-OpenSSH_9.2p1\r\n"))
        #expect(error == .closed(.test))
        #expect(error?.words == ["Connection closed by 192.0.2.1 port 22"])
    }

    @Test func anOldProtocolIsNamed() throws {
        let error = try failure(text("SSH-1.5-OldServer\r\n"), closes: false)
        #expect(error == .oldProtocol(.test, version: 1))
        #expect(error?.words == ["Protocol major versions differ: 2 vs. 1"])
    }

    @Test func garbageAfterTheBannerIsABadPacket() throws {
        let garbage = [UInt8](repeating: 0xff, count: 100)
        let error = try failure(text("SSH-2.0-X\r\n") + garbage, closes: false)
        #expect(error == .badPacketLength(.test, 0xffff_ffff))
        #expect(error?.words?.first == "Bad packet length 4294967295.")
    }

    @Test func aBrokenKeyExchangeIsAViolation() throws {
        // A packet of type 20 (KEXINIT) with nothing in it.
        let packet: [UInt8] = [0, 0, 0, 12, 10, 20] + [UInt8](repeating: 0, count: 10)
        let error = try failure(text("SSH-2.0-X\r\n") + packet, closes: false)
        guard case .protocolViolation = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func seededNoiseNeverHangsOrTraps() throws {
        var generator = Seeded(20_261_121)
        for _ in 0..<150 {
            let count = Int.random(in: 0..<600, using: &generator)
            var noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if Bool.random(using: &generator) { noise = text("SSH-2.0-X\r\n") + noise }
            #expect(try failure(noise) != nil, "seed 20261121, \(noise)")
        }
    }
}

/// The server's end, open as long as anybody writes to it.
private final class ServerEnd: Sendable {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct NegotiationTests {
    @Test(
        arguments: [
            (
                "KexAlgorithms ecdh-sha2-nistp256", SSHError.AlgorithmKind.keyExchange,
                "ecdh-sha2-nistp256"
            ),
            ("LogLevel DEBUG2", .hostKey, "ssh-ed25519"),
            ("Ciphers aes128-ctr", .cipher, "aes128-ctr"),
            ("MACs hmac-sha2-256", .mac, "hmac-sha2-256"),
        ]
    )
    func nothingInCommonNamesTheKindAndTheirOffer(
        option: String,
        kind: SSHError.AlgorithmKind,
        offer: String
    ) throws {
        let it = try SessionFixture([option]) {
            $0.keyExchanges = ["curve25519-sha256"]
            $0.hostKeyAlgorithms = [kind == .hostKey ? "rsa-sha2-256" : "ssh-ed25519"]
            $0.ciphers = kind == .mac ? ["aes128-ctr"] : ["aes256-gcm@openssh.com"]
            $0.macs = ["hmac-sha2-512"]
        }
        let error = #expect(throws: SSHError.self) { try it.wait(it.session.connect) }
        guard case .noCommonAlgorithm(_, kind, let theirs) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(theirs.hasPrefix(offer))
        #expect(
            error?.words?.first?.hasPrefix(
                "Unable to negotiate with 192.0.2.1 port 22: no matching \(kind.rawValue) found. "
                    + "Their offer: \(offer)"
            ) == true
        )
    }

    @Test func aListWithNothingThatLibsshKnowsIsRefusedAtOnce() throws {
        #expect(throws: SSHError.self) {
            try SessionFixture { $0.ciphers = ["no-such-cipher"] }
        }
    }
}
