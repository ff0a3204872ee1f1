import Testing

@testable import Resume

@Suite struct ForwardTests {
    private func offer(_ stream: UInt32) -> [UInt8] {
        frame(
            0x10,
            wire(4, stream) + wire(4, 1000) + [3] + wire("localhost") + wire(4, 8080) + wire("::1")
                + wire(4, 40_000) + wire(4, 1)
        )
    }

    @Test("A connection is opened, carries both ways, ends and is over")
    func life() throws {
        var talk = try Talk()
        let stream = talk.session.open(.tcp(host: "db", port: 5432), originatorPort: 99)
        #expect(stream == 2)
        let asked = talk.takenStream()
        #expect(asked.map(\.type) == [0x10])
        #expect(
            asked.first?.payload == wire(4, 2) + wire(4, 1 << 20) + [1] + wire("db")
                + wire(4, 5432) + wire("127.0.0.1") + wire(4, 99) + wire(4, 0)
        )
        // Only the other side can agree to it.
        talk.session.accept(2)
        talk.session.refuse(2, reason: 1, "")
        #expect(talk.takenStream().isEmpty)
        let bytes = Array("hello".utf8)
        #expect(talk.session.send(bytes.span, on: 2) == 0)
        #expect(try talk.hearStream(frame(0x11, wire(4, 2) + wire(4, 4))) == [.opened(2)])
        #expect(talk.session.send(bytes.span, on: 2) == 4)
        #expect(talk.takenStream().map(\.payload) == [wire(4, 2) + Array("hell".utf8)])
        #expect(try talk.hearStream(frame(0x03, wire(4, 2) + wire(4, 9))) == [])
        #expect(talk.session.room(on: 2) == 9)
        #expect(
            try talk.hearStream(frame(0x01, wire(4, 2) + [7]) + frame(0x04, wire(4, 2)))
                == [.data(2, 20..<21), .ended(2)]
        )
        talk.session.end(2)
        talk.session.close(2)
        #expect(talk.takenStream().map(\.type) == [0x04, 0x05])
        // It waits for the other side's word; then nothing of it is left.
        #expect(try talk.hearStream(frame(0x05, wire(4, 2) + [0])) == [])
        #expect(talk.session.streams.isEmpty)
        #expect(try talk.hearStream(frame(0x03, wire(4, 2) + wire(4, 1))) == [])
        #expect(talk.session.open(.unix(path: "/run/x")) == 4)
        #expect(
            talk.takenStream().first?.payload.dropFirst(8)
                == ([2] + wire("/run/x") + wire(4, 0) + wire("127.0.0.1") + wire(4, 0) + wire(4, 0))[
                    ...
                ]
        )
    }

    @Test("A connection that cannot be made, one closed from there, one closed while it was made")
    func ends() throws {
        var talk = try Talk()
        for _ in 0..<3 { _ = talk.session.open(.tcp(host: "h", port: 1)) }
        let refused = frame(0x12, wire(4, 2) + [2] + wire("Connection refused"))
        #expect(
            try talk.hearStream(refused)
                == [.openRefused(2, reason: 2, text: "Connection refused")]
        )
        _ = try talk.hearStream(frame(0x11, wire(4, 4) + wire(4, 1)))
        _ = talk.taken()
        #expect(
            try talk.hearStream(frame(0x05, wire(4, 4) + [1])) == [.closed(4, isReset: true)]
        )
        #expect(talk.takenStream().map(\.payload) == [wire(4, 4) + [0]])
        talk.session.close(6, isReset: true)
        #expect(talk.takenStream().map(\.payload) == [wire(4, 6) + [1]])
        #expect(
            try talk.hearStream(
                frame(0x11, wire(4, 6) + wire(4, 1)) + frame(0x01, wire(4, 6) + [1])
                    + frame(0x04, wire(4, 6)) + frame(0x05, wire(4, 6) + [0])
            ) == []
        )
        #expect(talk.session.streams.isEmpty)
        #expect(talk.takenStream().isEmpty)
    }

    @Test("A stalled connection stalls only itself")
    func stall() throws {
        var talk = try Talk(window: 65_536)
        let stream = talk.session.open(.tcp(host: "h", port: 1))
        _ = try talk.hearStream(frame(0x11, wire(4, stream) + wire(4, 1)))
        let full = Array(repeating: UInt8(0), count: 32_768)
        for _ in 0..<32 {
            let events = try talk.hearStream(frame(0x01, wire(4, stream) + full))
            #expect(events.count == 1)
        }
        // Nothing of it was put down, yet all is consumed and output goes on.
        #expect(try talk.hearStream(frame(0x01, wire(4, 0) + [1])).count == 1)
        #expect(throws: ResumeError.self) {
            try talk.hearStream(frame(0x01, wire(4, stream) + [1]))
        }
    }

    @Test("Listeners, and what comes to them")
    func listeners() throws {
        var talk = try Talk()
        #expect(talk.session.listen(.tcp(host: "localhost", port: 0)) == 1)
        #expect(talk.session.listen(.unix(path: "/tmp/s")) == 2)
        talk.session.unlisten(2)
        #expect(
            talk.takenStream().map(\.payload) == [
                wire(4, 1) + [1] + wire("localhost") + wire(4, 0),
                wire(4, 2) + [2] + wire("/tmp/s") + wire(4, 0), wire(4, 2),
            ]
        )
        let events = try talk.hearStream(
            frame(0x19, wire(4, 1) + wire(4, 8080)) + frame(0x1a, wire(4, 2) + wire("in use"))
                + offer(1) + offer(5) + offer(7)
        )
        #expect(events.count == 5)
        #expect(events.prefix(2) == [.listening(1, port: 8080), .notListening(2, text: "in use")])
        guard case .offered(let offer) = events[2] else {
            Issue.record("\(events)")
            return
        }
        #expect(offer.stream == 1 && offer.listener == 1 && offer.originatorPort == 40_000)
        #expect(offer.host == "localhost" && offer.port == 8080 && offer.originator == "::1")
        talk.session.accept(1)
        talk.session.refuse(5, reason: 2, "no")
        #expect(
            talk.takenStream().map(\.payload) == [
                wire(4, 1) + wire(4, 1 << 20), wire(4, 5) + [2] + wire("no"),
            ]
        )
        let bytes = Array("x".utf8)
        #expect(talk.session.send(bytes.span, on: 1) == 1)
        #expect(talk.session.send(bytes.span, on: 7) == 0)
        // Frames of a connection that never was are dropped, of one not answered are an error.
        #expect(try talk.hearStream(frame(0x05, wire(4, 5) + [0])) == [])
        #expect(throws: ResumeError.self) { try talk.hearStream(frame(0x01, wire(4, 7) + [1])) }
    }

    @Test("Connections come with rising odd numbers, of the kind for it", arguments: [0, 2, 1])
    func badOffers(_ stream: UInt32) throws {
        var talk = try Talk()
        _ = try talk.hearStream(offer(1))
        #expect(throws: ResumeError.self) { try talk.hearStream(offer(stream)) }
    }

    @Test("More connections than the limit are refused, and room is made by those that end")
    func limit() throws {
        var talk = try Talk(window: 16 << 20)
        for number in 0..<UInt32(ResumeSession.offerLimit) {
            #expect(try talk.hearStream(offer(number * 2 + 1)).count == 1)
        }
        #expect(try talk.hearStream(offer(5001)) == [])
        #expect(talk.takenStream().map(\.type) == [0x12])
        talk.session.refuse(1, reason: 1, "")
        #expect(try talk.hearStream(offer(5003)).count == 1)
    }

    @Test("A side that asks without end and reads no answers is cut off")
    func flood() throws {
        var talk = try Talk(window: 65_536)
        #expect(throws: ResumeError.flooded) {
            for number in 0..<UInt32(200_000) { _ = try talk.hearStream(offer(number * 2 + 1)) }
        }
        #expect(talk.session.backlog < 2 << 20)
    }
}
