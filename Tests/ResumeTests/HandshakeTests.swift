import TestSupport
import Testing

@testable import Resume

@Suite struct HandshakeTests {
    @Test("HELLO and START are laid out as the protocol says")
    func layout() throws {
        var random = Seeded(5)
        var start = ResumeSession.Start(.shell)
        start.command = [0x61]
        start.pty = .init(
            term: "xterm",
            modes: [0],
            size: .init(columns: 80, rows: 24, width: 640, height: 480)
        )
        start.environment = [("A", "b")]
        start.wantsMotd = true
        start.linksAgent = true
        start.timeout = .seconds(60)
        start.window = 4 << 20
        let identity = ResumeSession.Identity(using: &random)
        var session = ResumeSession(identity, start: start, now: Talk.start)
        session.attach(.socket, now: Talk.start)
        var bytes: [UInt8] = []
        session.take(into: &bytes, limit: 10_000, now: Talk.start)
        var hello: [UInt8] = [1, 1] + identity.id + identity.secret
        hello += wire(4, 1) + wire(8, 0) + wire(8, 0) + wire(4, 4 << 20) + wire("")
        var payload: [UInt8] = [1, 1 | 2 | 8] + wire(4, 60) + wire(4, 0)
        payload += wire(4, 80) + wire(4, 24) + wire(4, 640) + wire(4, 480)
        payload += wire("xterm") + wire(4, 1) + [0] + wire("a") + wire(4, 0)
        payload += wire(2, 1) + wire("A") + wire("b")
        #expect(bytes == frame(0x01, hello) + frame(0x02, payload))
        #expect(identity.description.count == 32)
        #expect(identity.id != identity.secret)
    }

    @Test("A start that is tried again says since when, and that it is another link")
    func retry() throws {
        var talk = try Talk(isUp: false)
        talk.session.attach(.socket, now: talk.now)
        #expect(talk.takenFrames().map(\.type) == [0x01, 0x02])
        talk.session.lose(channelEnded: false, now: talk.now)
        #expect(talk.session.started == .uncertain)
        talk.now += .milliseconds(4900)
        talk.session.attach(.socket, now: talk.now)
        let again = talk.takenFrames()
        #expect(again.map(\.type) == [0x01, 0x02])
        // Generation, then the seconds, rounded up.
        #expect(Array(again[0].payload[34..<38]) == wire(4, 2))
        #expect(Array(again[1].payload[6..<10]) == wire(4, 5))
    }

    @Test("After a welcome a link attaches with what was received, and knows the boot")
    func attach() throws {
        var talk = try Talk()
        _ = try talk.hearStream(frame(0x01, wire(4, 0) + [1, 2, 3]))
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        let hello = try #require(talk.takenFrames().first)
        var fields = Fields(hello.payload)
        #expect(fields.take(2) == [1, 2])
        _ = fields.take(32)
        #expect(fields.u32() == 2)
        #expect(fields.number(8) == 11)
        #expect(fields.number(8) == 11)
        #expect(fields.u32() == 1 << 20)
        #expect(fields.string() == "boot")
        let events = try talk.hear(Talk.welcome(flags: 0, generation: 2))
        guard case .attached(let attachment) = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(!attachment.isFirst && !attachment.isNew && attachment.hasPty)
        #expect(attachment.pid == 4711 && attachment.socketPath == "/tmp/.ec2sh-0/x.s")
        #expect(attachment.kind == .command)
    }

    @Test(
        "A welcome that contradicts what was agreed ends the link",
        arguments: [
            Talk.welcome(version: 2), Talk.welcome(generation: 2), Talk.welcome(received: 1),
            Talk.welcome(window: 65_535), Talk.welcome(window: (1 << 20) + 1),
            Talk.welcome() + Talk.welcome(), frame(0x03, Talk.welcome().dropFirst(4) + [0]),
            frame(0x03, [1]), frame(0x10, wire(8, 0) + [1]), frame(0x11, wire(8, 0) + wire(8, 0)),
            frame(0x15, []), frame(0x01, []), frame(0x03, Array(repeating: 0, count: 8193)),
        ]
    )
    func badWelcome(_ bytes: [UInt8]) throws {
        var talk = try Talk(isUp: false)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        #expect(throws: ResumeError.self) { _ = try talk.hear(bytes) }
    }

    @Test(
        "A later welcome neither takes back what was received nor changes the window",
        arguments: [
            (Talk.welcome(generation: 2, received: 12, window: 1 << 20), false),
            (Talk.welcome(generation: 2, received: 11, window: 1 << 20), true),
            (Talk.welcome(generation: 2, received: 12, window: 1 << 19), true),
            (Talk.welcome(generation: 3, received: 12, window: 1 << 20), true),
        ]
    )
    func laterWelcome(_ bytes: [UInt8], _ isBad: Bool) throws {
        var talk = try Talk()
        #expect(talk.send("abcd") == 4)
        _ = talk.taken()
        _ = try talk.hear(frame(0x11, wire(8, 12) + wire(8, 3)))
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        if isBad {
            #expect(throws: ResumeError.self) { try talk.hear(bytes) }
        } else {
            #expect(try talk.hear(bytes).count == 1)
        }
    }

    @Test(
        "What a refusal leaves of a session",
        arguments: [
            (UInt8(1), ResumeSession.Started.uncertain, true), (2, .uncertain, true),
            (3, .uncertain, true), (4, .uncertain, true), (5, .uncertain, true),
            (6, .uncertain, true), (7, .no, true), (8, .uncertain, true), (9, .uncertain, false),
            (10, .uncertain, false), (99, .uncertain, true),
        ]
    )
    func refusal(_ code: UInt8, _ started: ResumeSession.Started, _ isOver: Bool) throws {
        var talk = try Talk(isUp: false)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        let events = try talk.hear(frame(0x04, [code] + wire(4, 7) + wire("why")))
        guard case .refused(let refusal) = events.first, events.count == 1 else {
            Issue.record("\(events)")
            return
        }
        #expect(refusal.code.rawValue == code && refusal.value == 7 && refusal.text == "why")
        #expect(talk.session.started == started)
        #expect(talk.session.isOver == isOver)
        #expect(!talk.session.isAttached)
    }

    @Test("Every refusal is told in one line, whatever the host says", arguments: UInt8(0)...12)
    func words(_ code: UInt8) throws {
        let payload = [code] + wire(4, 3) + wire("no\u{1b}[2J\nno")
        let refusal = try Refusal(payload)
        #expect(!refusal.summary.isEmpty && refusal.summary.allSatisfy { $0 >= " " && $0 <= "~" })
        #expect(refusal.summary.hasSuffix("no[2Jno") == [0, 7, 10, 11, 12].contains(code))
        #expect((refusal.hint != nil) == [1, 3, 4, 7, 10].contains(code))
    }

    @Test("Input goes ahead of the welcome, 64 KiB of it, and can be taken back for plain ssh")
    func early() throws {
        var talk = try Talk(isUp: false)
        let input = Seeded(1).firstBytes(100_000)
        #expect(talk.session.send(input.span) == 65_536)
        talk.session.attach(.exec, now: talk.now)
        let sent = talk.taken()
        #expect(sent.starts(with: Bootstrap.body))
        #expect(talk.session.started == .uncertain)
        _ = try talk.hear(Array("Welcome!\nEC2SH-RESUME none\n".utf8))
        #expect(talk.session.started == .no)
        #expect(talk.session.inputToTakeBack == Array(input.prefix(65_536)))
    }

    @Test("A channel that ends without the magic line has started nothing; a broken link may have")
    func ends() throws {
        for (ended, started) in [(true, ResumeSession.Started.no), (false, .uncertain)] {
            var talk = try Talk(isUp: false)
            talk.session.attach(.exec, now: talk.now)
            #expect(talk.session.started == .no)
            _ = talk.taken()
            _ = try talk.hear(Array("This account is not available.\n".utf8))
            talk.session.lose(channelEnded: ended, now: talk.now)
            #expect(talk.session.started == started)
        }
        // With the magic line it may have started all the same, and what was in doubt stays so.
        var talk = try Talk(isUp: false)
        talk.session.attach(.exec, now: talk.now)
        _ = talk.taken()
        _ = try talk.hear(Array("EC2SH-RESUME 1\n".utf8))
        talk.session.lose(channelEnded: true, now: talk.now)
        #expect(talk.session.started == .uncertain)
        talk.session.attach(.exec, now: talk.now)
        talk.session.lose(channelEnded: true, now: talk.now)
        #expect(talk.session.started == .uncertain)
    }

    @Test("A start that was not sent to its end has started nothing")
    func halfSent() throws {
        var talk = try Talk(isUp: false)
        talk.session.attach(.socket, now: talk.now)
        var bytes: [UInt8] = []
        talk.session.take(into: &bytes, limit: 80, now: talk.now)
        #expect(bytes.count == 80)
        talk.session.lose(channelEnded: false, now: talk.now)
        #expect(talk.session.started == .no)
    }

    @Test("A command that is too long for a frame is known beforehand")
    func long() {
        var start = ResumeSession.Start(.command)
        start.command = Array(repeating: 0x61, count: 262_000)
        #expect(start.isSendable)
        start.command += Array(repeating: 0x61, count: 200)
        #expect(!start.isSendable)
    }
}

extension Seeded {
    func firstBytes(_ count: Int) -> [UInt8] {
        var copy = self
        return copy.bytes(count)
    }
}
