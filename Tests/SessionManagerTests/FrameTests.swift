import JSONText
import TestSupport
import Testing

@testable import SessionManager

@Suite struct FrameTests {
    @Test(
        "What the agent and the client sent is read, and written back byte for byte",
        arguments: ["ssm-ssh-session.jsonl", "ssm-shell-session.jsonl"]
    )
    func recorded(file: String) throws {
        let frames = try Recording(file).lines.compactMap(\.frame)
        #expect(frames.count > 10)
        for bytes in frames {
            let frame = try Frame(bytes)
            #expect(frame.bytes == bytes)
        }
    }

    @Test("Fields stand where they should")
    func fields() throws {
        let line = try Recording("ssm-ssh-session.jsonl").lines[1]
        let frame = try Frame(try #require(line.frame))
        #expect(frame.kind.rawValue == "agent_session_state")
        #expect(frame.sequenceNumber == 0)
        #expect(frame.flags == Frame.controlFlags)
        #expect(frame.payloadType == Frame.PayloadType.none)
        #expect(try JSON.parse(frame.payload)["SessionState"]?.string == "Connected")
    }

    @Test("An acknowledgement names the message by the id its frame has")
    func ids() throws {
        let lines = try Recording("ssm-shell-session.jsonl").lines
        let frames = try lines.compactMap(\.frame).map { try Frame($0) }
        let output = try #require(frames.first { $0.kind == .output })
        let answer = try #require(frames.first { $0.kind == .acknowledge })
        let named = try JSON.parse(answer.payload)["AcknowledgedMessageId"]?.string
        #expect(named == output.id.description)
    }

    @Test("The shorter header has no payload type")
    func short() throws {
        var frame = Frame(.channelClosed, created: 5, id: anID)
        frame.payloadType = nil
        frame.payload = Array("{}".utf8)
        #expect(frame.bytes.prefix(4) == [0, 0, 0, 112])
        #expect(frame.bytes.count == 112 + 4 + 2)
        #expect(try Frame(frame.bytes) == frame)
    }

    @Test(
        "Damage is named",
        arguments: [
            (0..<4, [0, 0, 0, 113], FrameError.headerLength(113)),
            (36..<40, [0, 0, 0, 2], .schemaVersion(2)),
            (116..<120, [0, 0, 0, 4], .payloadLength(4, found: 3)),
            (116..<120, [255, 255, 255, 255], .payloadLength(.max, found: 3)),
            (120..<121, [7], .digest),
            (60..<123, [], .truncated),
        ]
    )
    func damage(range: Range<Int>, bytes: [UInt8], error: FrameError) {
        var frame = Frame(.output, created: 1, id: anID)
        frame.payload = [1, 2, 3]
        var damaged = frame.bytes
        damaged.replaceSubrange(range, with: bytes)
        #expect(throws: error) { try Frame(damaged) }
    }

    @Test("Every cut of a message is refused, none traps")
    func cuts() {
        var frame = Frame(.output, created: 1, id: anID)
        frame.payload = [1, 2, 3]
        for count in 0..<frame.bytes.count {
            #expect(throws: FrameError.self) { try Frame(Array(frame.bytes.prefix(count))) }
        }
    }

    @Test("Random changes never trap the reader", arguments: [UInt64(1), 2])
    func fuzz(seed: UInt64) throws {
        var random = Seeded(seed)
        let originals = try Recording("ssm-ssh-session.jsonl").lines.compactMap(\.frame)
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end {
            var bytes = originals.randomElement(using: &random) ?? []
            for _ in 0...Int.random(in: 0...6, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(
                    in: 0...255,
                    using: &random
                )
            }
            if let frame = try? Frame(bytes) { #expect((try? Frame(frame.bytes)) == frame) }
        }
    }

    private var anID: MessageID {
        var random = Seeded(3)
        return MessageID(using: &random)
    }
}
