import TestSupport
import Testing

@testable import Resume

@Suite struct SessionTests {
    private func data(_ stream: UInt32, _ text: String) -> [UInt8] {
        frame(0x01, wire(4, stream) + Array(text.utf8))
    }

    @Test("What comes of the process is told in order")
    func process() throws {
        var talk = try Talk()
        let events = try talk.hearStream(
            data(0, "out") + frame(0x02, wire(4, 0) + Array("err".utf8))
                + frame(0x0b, wire(8, 5_000_000_000)) + data(0, "!") + frame(0x04, wire(4, 0))
                + frame(0x09, wire(4, 3))
        )
        // Places: behind 12 bytes of DATA's header and 8 of each frame's own.
        #expect(
            events == [
                .output(20..<23), .errorOutput(31..<34), .skipped(5_000_000_000), .output(54..<55),
                .outputEnded, .exited(.status(3)),
            ]
        )
        talk = try Talk()
        let payload = wire("TERM") + [1] + wire("why")
        #expect(
            try talk.hearStream(frame(0x0a, payload))
                == [.exited(.signal(name: "TERM", coreDumped: true, text: "why"))]
        )
    }

    @Test("What the user does goes as the protocol says")
    func requests() throws {
        var talk = try Talk()
        #expect(talk.send("ab") == 2)
        talk.session.signal("INT")
        talk.session.sendBreak(500)
        talk.session.end()
        talk.session.stopOutput()
        let frames = talk.takenStream()
        #expect(frames.map(\.type) == [0x01, 0x07, 0x08, 0x04, 0x05])
        #expect(
            frames.map(\.payload) == [
                wire(4, 0) + Array("ab".utf8), wire("INT"), wire(4, 500), wire(4, 0),
                wire(4, 0) + [0],
            ]
        )
        // Nothing is sent behind the end, and no end twice.
        #expect(talk.send("c") == 0)
        talk.session.end()
        talk.session.stopOutput()
        #expect(talk.takenStream().isEmpty)
    }

    @Test("Of sizes that wait for a link the last one goes, and a wish to redraw is kept")
    func sizes() throws {
        var talk = try Talk()
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.resize(.init(columns: 1, rows: 2), redraws: true)
        talk.session.resize(.init(columns: 80, rows: 24, width: 640, height: 480))
        #expect(talk.session.backlog == 0)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        _ = try talk.hear(Talk.welcome(flags: 0, generation: 2))
        let frames = talk.takenStream()
        #expect(frames.map(\.type) == [0x06])
        #expect(
            frames.first?.payload == wire(4, 80) + wire(4, 24) + wire(4, 640) + wire(4, 480) + [1]
        )
    }

    @Test("The process is told what was put down: much at once, little within 200 ms")
    func windows() throws {
        var talk = try Talk(window: 65_536)
        for _ in 0..<2 {
            _ = try talk.hearStream(frame(0x01, wire(4, 0) + Array(repeating: 0, count: 32_000)))
        }
        talk.session.notePutDown(16_383, now: talk.now)
        #expect(talk.takenStream().isEmpty)
        talk.session.notePutDown(1, now: talk.now)
        #expect(talk.takenStream().map(\.payload) == [wire(4, 0) + wire(4, 16_384)])
        talk.session.notePutDown(100, now: talk.now)
        talk.now += .milliseconds(200)
        #expect(talk.takenStream().map(\.payload) == [wire(4, 0) + wire(4, 100)])
        // Never more than came.
        talk.session.notePutDown(1_000_000, now: talk.now)
        #expect(talk.takenStream().map(\.payload) == [wire(4, 0) + wire(4, 47_516)])
    }

    @Test("Input stops at the window and goes on when it is raised")
    func input() throws {
        var talk = try Talk(window: 100_000)
        let input = Seeded(3).firstBytes(150_000)
        #expect(talk.session.send(input.span) == 100_000)
        let sent = talk.takenFrames()
        // The window of the numbered stream holds for the headers of frames too.
        #expect(
            sent.filter { $0.type == 0x10 }.map { $0.payload.count - 8 }.reduce(0, +) == 100_000
        )
        _ = try talk.hear(frame(0x11, wire(8, 100_000) + wire(8, 100_000)))
        #expect(talk.session.room() == 0)
        _ = try talk.hearStream(frame(0x03, wire(4, 0) + wire(4, 7)))
        #expect(talk.session.room() == 7)
    }

    @Test(
        "What the process's stream must not bring ends the session",
        arguments: [
            frame(0x09, wire(4, 0)) + frame(0x09, wire(4, 0)),
            frame(0x04, wire(4, 0)) + frame(0x04, wire(4, 0)),
            frame(0x04, wire(4, 0)) + frame(0x01, wire(4, 0) + [1]),
            frame(0x04, wire(4, 0)) + frame(0x02, wire(4, 0) + [1]),
            frame(0x03, wire(4, 0) + wire(4, 1 << 31)),
            frame(0x05, wire(4, 0) + [0]), frame(0x11, wire(4, 0) + wire(4, 1)),
            frame(0x01, wire(4, 2) + [1]), frame(0x02, wire(4, 2) + [1]), frame(0x04, wire(4, 1)),
            frame(0x05, wire(4, 2) + [0]), frame(0x12, wire(4, 2) + [1] + wire("")),
            frame(0x09, wire(4, 0) + [0]), frame(0x09, [0]),
            frame(0x06, Array(repeating: 0, count: 17)),
            frame(0x0a, wire("TERM") + [0]), frame(0x0a, wire(4, 100) + [0]),
            frame(0x01, wire(4, 0)),
            [0x01, 0, 0x80, 0x05, 0, 0, 0, 0, 0], [0xff, 0, 0, 0],
        ]
    )
    func bad(_ bytes: [UInt8]) throws {
        var talk = try Talk()
        #expect(throws: ResumeError.self) { try talk.hearStream(bytes) }
        #expect(talk.session.isOver)
    }

    @Test("More output than the window ends the session")
    func tooMuch() throws {
        var talk = try Talk(window: 65_536)
        let much = frame(0x01, wire(4, 0) + Array(repeating: 0, count: 32_768))
        #expect(throws: Never.self) { try talk.hearStream(much) }
        #expect(throws: Never.self) { try talk.hearStream(much) }
        #expect(throws: ResumeError.self) { try talk.hearStream(frame(0x01, wire(4, 0) + [1])) }
    }

    @Test("The last words of both sides")
    func farewells() throws {
        for (reason, event) in [(4, .superseded), (5, .ending)] as [(UInt8, ResumeSession.Event)] {
            var talk = try Talk()
            #expect(try talk.hear(frame(0x14, [reason])) == [event])
            #expect(talk.session.isOver)
        }
        for farewell in [ResumeSession.Farewell.end, .detach, .done] {
            var talk = try Talk()
            talk.session.leave(farewell)
            #expect(talk.takenFrames().map(\.payload) == [[farewell.rawValue]])
            // Nothing comes behind it.
            #expect(talk.send("x") == 1)
            #expect(talk.takenFrames().isEmpty)
            #expect(try talk.hear(frame(0x15, [])) == [.farewell])
            #expect(talk.session.isOver)
        }
        // Nobody said farewell.
        var talk = try Talk()
        #expect(throws: ResumeError.self) { try talk.hear(frame(0x15, [])) }
    }

    @Test("Input is sent before one detaches, and not before one ends the session")
    func lastInput() throws {
        var talk = try Talk(window: 65_536)
        let input = Seeded(3).firstBytes(65_536)
        #expect(talk.session.send(input.span) == 65_536)
        talk.session.leave(.detach)
        #expect(talk.takenFrames().allSatisfy { $0.type != 0x14 })
        _ = try talk.hear(frame(0x11, wire(8, 65_000) + wire(8, 65_000)))
        #expect(talk.takenFrames().map(\.type) == [0x10, 0x14])
        talk = try Talk(window: 65_536)
        #expect(talk.session.send(input.span) == 65_536)
        talk.session.leave(.end)
        #expect(talk.takenFrames().last?.type == 0x14)
    }

    @Test("A farewell is said once more over the next link")
    func farewellAgain() throws {
        var talk = try Talk()
        talk.session.leave(.done)
        _ = talk.taken()
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        _ = try talk.hear(Talk.welcome(flags: 0, generation: 2))
        #expect(talk.takenFrames().map(\.type) == [0x14])
    }

    @Test("Notices are told at each attach")
    func notices() throws {
        var talk = try Talk()
        #expect(try talk.hear(frame(0x05, [1] + wire("x"))) == [.notice(.killedAtLogout)])
        #expect(
            try talk.hear(frame(0x05, [9] + wire("x"))) == [.notice(.other(code: 9, text: "x"))]
        )
    }
}
