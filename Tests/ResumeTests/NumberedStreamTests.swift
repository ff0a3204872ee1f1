import TestSupport
import Testing

@testable import Resume

@Suite struct NumberedStreamTests {
    /// A stream of which so many bytes were sent.
    private func stream(sent: Int) -> NumberedStream {
        var stream = NumberedStream(receiveWindow: 65_536)
        let bytes = Array(repeating: UInt8(1), count: sent)
        stream.append(bytes.span)
        var buffer: [UInt8] = []
        while stream.sendable > 0 { stream.takePiece(into: &buffer, limit: 1 << 20) }
        return stream
    }

    @Test("What came before is dropped; a gap and more than the window are errors")
    func receiving() throws {
        var stream = NumberedStream(receiveWindow: 1000)
        #expect(try stream.accept(0, 600) == 0)
        #expect(try stream.accept(0, 600) == 600)
        #expect(try stream.accept(500, 200) == 100)
        #expect(stream.received == 700 && stream.consumed == 0)
        #expect(throws: ResumeError.self) { try stream.accept(701, 1) }
        #expect(throws: ResumeError.self) { try stream.accept(700, 301) }
        #expect(throws: ResumeError.self) { try stream.accept(.max, 1) }
        stream.consumeAll()
        #expect(try stream.accept(700, 1000) == 0)
        #expect(stream.untold == 700)
    }

    @Test("An acknowledgement frees and moves the window by what was consumed, not received")
    func acknowledging() throws {
        var stream = stream(sent: 100_000)
        #expect(stream.backlog.end == 100_000 && stream.unsent == 34_464)
        try stream.note(received: 65_536, consumed: 0)
        #expect(stream.sendable == 0 && stream.backlog.count == 100_000)
        try stream.note(received: 65_536, consumed: 1000)
        #expect(stream.sendable == 1000 && stream.backlog.count == 99_000)
        // The lower one is old.
        try stream.note(received: 60_000, consumed: 500)
        #expect(stream.backlog.base == 1000)
        stream.beginLink()
        #expect(stream.unsent == 34_464)
    }

    @Test(
        "Acknowledgements of what was never sent, or of more than was received, are errors",
        arguments: [(1001, 0), (500, 501), (UInt64.max, .max), (1001, 1001)] as [(UInt64, UInt64)]
    )
    func contradictions(_ received: UInt64, _ consumed: UInt64) {
        var stream = stream(sent: 1000)
        #expect(throws: ResumeError.self) {
            try stream.note(received: received, consumed: consumed)
        }
    }

    @Test("A new link goes on from what was received")
    func replay() throws {
        var stream = stream(sent: 1000)
        try stream.note(received: 400, consumed: 300)
        #expect(stream.sendable == 0)
        stream.beginLink()
        #expect(stream.sendable == 600)
        try stream.note(received: 700, consumed: 300)
        #expect(stream.sendable == 300)
        var buffer: [UInt8] = []
        stream.takePiece(into: &buffer, limit: 100)
        #expect(
            buffer.prefix(12) == frame(0x10, wire(8, 700) + Array(repeating: 1, count: 88))[..<12]
        )
    }

    @Test("A backlog gives back what was put in, from any number on")
    func backlog() {
        var random = Seeded(11)
        var backlog = Backlog()
        var model: [UInt8] = []
        var base = 0
        for _ in 0..<300 {
            let bytes = random.bytes(Int.random(in: 0...30_000, using: &random))
            backlog.append(bytes.span)
            model += bytes
            base += Int.random(in: 0...min(40_000, model.count - base), using: &random)
            backlog.free(below: UInt64(base))
            #expect(backlog.count == model.count - base)
            let start = Int.random(in: base...model.count, using: &random)
            let end = Int.random(in: start...model.count, using: &random)
            var copy: [UInt8] = [7]
            backlog.copy(from: UInt64(start), end - start, into: &copy)
            #expect((copy == [7] + model[start..<end]) as Bool)
        }
        #expect(base > 2_000_000)
    }
}
