import SSH
import TestSupport
import Testing

@testable import Client

/// The packets of a proxy client, byte for byte as RFC 4254 and PROTOCOL.mux have them.
struct ConnectionMessageTests {
    typealias Message = ConnectionMessage
    typealias Ends = ChannelOpening.ConnectionEnds

    static let rows: [(String, Message)] = [
        (
            "00 50 0000000d 74637069702d666f7277617264 01 00000001 2a 00001f90",
            .globalRequest(.listen(host: "*", port: 8080), wantsReply: true)
        ),
        (
            "00 50 00000014 63616e63656c2d74637069702d666f7277617264 00 00000000 00000016",
            .globalRequest(.cancelListen(host: "", port: 22), wantsReply: false)
        ),
        (
            "00 50 00000001 6b 01 6162",
            .globalRequest(.other(name: "k", [0x61, 0x62]), wantsReply: true)
        ),
        ("00 51 00001f90", .requestSuccess([0, 0, 0x1f, 0x90])),
        // Padded, as OpenSSH takes no packet of fewer than five bytes.
        ("03 51 000000", .requestSuccess([])),
        ("03 52 000000", .requestFailure),
        (
            "00 5a 00000007 73657373696f6e 00000003 00200000 00008000",
            opening(.session)
        ),
        (
            """
            00 5a 0000000c 6469726563742d7463706970 00000003 00200000 00008000 \
            00000001 68 00000016 00000001 6f 0000ffff
            """,
            opening(.directTCP(Ends(host: "h", port: 22, originHost: "o", originPort: 65535)))
        ),
        (
            """
            00 5a 0000000f 666f727761726465642d7463706970 00000003 00200000 00008000 \
            00000000 00000050 00000001 6f 00000001
            """,
            opening(.forwardedTCP(Ends(host: "", port: 80, originHost: "o", originPort: 1)))
        ),
        (
            """
            00 5a 0000001e 6469726563742d73747265616d6c6f63616c406f70656e7373682e636f6d \
            00000003 00200000 00008000 00000002 2f73 00000000 00000000
            """,
            opening(.directUnix(path: "/s"))
        ),
        (
            "00 5a 00000001 74 00000003 00200000 00008000 ff",
            opening(.other(name: "t", [0xff]))
        ),
        (
            "00 5b 00000001 00000002 00000003 00000004",
            .opened(channel: 1, sender: 2, window: 3, packet: 4)
        ),
        (
            "00 5c 00000001 00000002 00000002 6e6f 00000000",
            .openFailure(channel: 1, code: 2, text: "no")
        ),
        ("00 5d 00000001 ffffffff", .windowAdjust(channel: 1, count: .max)),
        ("00 5e 00000001 00000002 00ff", .data(channel: 1, [0, 0xff])),
        (
            "00 5f 00000001 00000001 00000001 65",
            .extendedData(channel: 1, type: Message.standardError, [0x65])
        ),
        ("00 60 00000001", .eof(channel: 1)),
        ("00 61 00000001", .close(channel: 1)),
        (
            """
            00 62 00000001 00000007 7074792d726571 01 00000002 7874 \
            00000050 00000018 00000001 00000002 00000001 00
            """,
            request(
                .pty(
                    term: "xt",
                    .init(columns: 80, rows: 24, width: 1, height: 2),
                    modes: [0]
                )
            )
        ),
        (
            "00 62 00000001 00000007 7831312d726571 01 01 00000001 6d 00000001 30 00000002",
            request(.x11(single: true, protocol: "m", cookie: "0", screen: 2))
        ),
        (
            """
            00 62 00000001 0000001a \
            617574682d6167656e742d726571406f70656e7373682e636f6d 01
            """,
            request(.agent)
        ),
        (
            "00 62 00000001 00000003 656e76 01 00000001 41 00000001 62",
            request(.variable(name: "A", value: "b"))
        ),
        ("00 62 00000001 00000005 7368656c6c 01", request(.shell)),
        ("00 62 00000001 00000004 65786563 01 00000002 6cff", request(.execute([0x6c, 0xff]))),
        (
            "00 62 00000001 00000009 73756273797374656d 01 00000004 73667470",
            request(.subsystem("sftp"))
        ),
        (
            """
            00 62 00000001 0000000d 77696e646f772d6368616e6765 01 \
            00000001 00000002 00000000 00000000
            """,
            request(.windowChange(.init(columns: 1, rows: 2)))
        ),
        (
            "00 62 00000001 00000006 7369676e616c 01 00000003 494e54",
            request(.signal("INT"))
        ),
        ("00 62 00000001 00000005 627265616b 01 000003e8", request(.sendBreak(milliseconds: 1000))),
        (
            "00 62 00000001 0000000b 657869742d737461747573 00 000000ff",
            .request(channel: 1, .exitStatus(255), wantsReply: false)
        ),
        (
            """
            00 62 00000001 0000000b 657869742d7369676e616c 01 \
            00000004 5445524d 01 00000001 6d 00000000
            """,
            request(.exitSignal(name: "TERM", coreDumped: true, message: "m", language: ""))
        ),
        (
            "00 62 00000001 00000001 6b 01 00",
            request(.other(name: "k", [0]))
        ),
        ("00 63 00000001", .success(channel: 1)),
        ("00 64 00000001", .failure(channel: 1)),
        ("00 15 010203", .other(type: 21, [1, 2, 3])),
    ]

    private static func opening(_ kind: ChannelOpening.Kind) -> Message {
        .open(ChannelOpening(kind: kind, sender: 3, window: 2 << 20, packet: 32 << 10))
    }

    private static func request(_ request: ChannelRequest) -> Message {
        .request(channel: 1, request, wantsReply: true)
    }

    @Test("each message is read and written", arguments: rows)
    func message(hex: String, message: Message) throws {
        #expect(try Message(packet: bytes(hex)) == message)
        #expect(message.packet == bytes(hex))
    }

    @Test("every type of message has a row")
    func completeness() {
        for number in ConnectionNumber.allCases {
            #expect(Self.rows.contains { bytes($0.0)[1] == number.rawValue }, "\(number)")
        }
    }

    @Test("what is cut short is refused, or is another message", arguments: rows)
    func cut(hex: String, message: Message) {
        for count in 0..<bytes(hex).count {
            guard let read = try? Message(packet: Array(bytes(hex).prefix(count))) else { continue }
            #expect(read != message)
        }
    }

    @Test(
        "what goes on after its end, or has more padding than bytes, is refused",
        arguments: ["00 60 00000001 00", "05 60 00000001", "ff", "00", "", "01 60"]
    )
    func malformed(hex: String) {
        #expect(throws: MuxMalformed.self) { try Message(packet: bytes(hex)) }
    }

    @Test("whatever comes is read or refused, and reads the same again")
    func fuzz() {
        let seed: UInt64 = 0x7072_6f78
        var random = Seeded(seed)
        for round in 0..<10_000 {
            var packet = bytes(Self.rows.randomElement(using: &random)!.0)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let index = Int.random(in: 0..<packet.count, using: &random)
                packet[index] = UInt8.random(in: 0...255, using: &random)
            }
            packet = Array(packet.prefix(Int.random(in: 0...packet.count, using: &random)))
            guard let message = try? Message(packet: packet) else { continue }
            let again = try? Message(packet: message.packet)
            #expect(again == message, "seed \(seed) round \(round)")
        }
    }
}

/// The windows of a channel: what may be sent, and what is taken.
struct ChannelWindowsTests {
    @Test("what may be sent is bounded by the window and the longest packet")
    func sending() throws {
        var windows = ChannelWindows()
        #expect(windows.allowance(for: 1) == 0)
        windows.open(window: 10, packet: 4)
        #expect(windows.allowance(for: 9) == 4)
        windows.send(4)
        windows.send(4)
        #expect(windows.allowance(for: 9) == 2)
        try windows.widen(by: 1)
        #expect(windows.allowance(for: 9) == 3)
    }

    @Test("a window cannot be more than four bytes tell")
    func overflow() throws {
        var windows = ChannelWindows()
        windows.open(window: .max - 1, packet: .max)
        #expect(windows.allowance(for: .max) == 32 << 10)
        try windows.widen(by: 1)
        #expect(throws: MuxMalformed.self) { try windows.widen(by: 1) }
    }

    @Test("more than was granted is refused; what is put down is granted again, in portions")
    func receiving() throws {
        var windows = ChannelWindows()
        let all = Int(ChannelWindows.granted)
        try windows.receive(all)
        #expect(throws: MuxMalformed.self) { try windows.receive(1) }
        #expect(windows.putDown(all / 8 - 1) == nil)
        #expect(windows.putDown(1) == UInt32(all / 8))
        try windows.receive(all / 8)
        #expect(throws: MuxMalformed.self) { try windows.receive(1) }
    }
}
