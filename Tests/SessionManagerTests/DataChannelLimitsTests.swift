import JSONText
import TestSupport
import Testing

@testable import SessionManager

/// What a data channel does with more than it should get, and how little it sends at first.
@Suite struct DataChannelLimitsTests {
    private let start = ContinuousClock.now

    /// A channel past its handshake, and the agent it is joined to.
    private func opened() throws -> (DataChannel, Agent) {
        var channel = DataChannel(
            .port,
            now: start,
            milliseconds: 1_700_000_000_000,
            generator: Seeded(1)
        )
        var agent = Agent()
        _ = channel.attach(token: "t", now: start)
        let request = try channel.receive(agent.askForPort(), now: start)
        _ = try pass(request, to: &agent, and: &channel)
        let done = try channel.receive(agent.send(.handshakeComplete, []), now: start)
        _ = try pass(done, to: &agent, and: &channel)
        return (channel, agent)
    }

    /// Brings messages to the agent, and its answers back.
    /// - Returns: how many there were.
    private func pass(
        _ actions: [DataChannel.Action],
        to agent: inout Agent,
        and channel: inout DataChannel
    ) throws -> Int {
        var count = 0
        for case .sendBinary(let bytes) in actions {
            count += 1
            for answer in try agent.receive(bytes) {
                _ = try channel.receive(answer, now: start)
            }
        }
        return count
    }

    @Test("Over a new websocket what was lost goes little by little, in order and before all else")
    func restart() throws {
        var (channel, agent) = try opened()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var rest = bytes[...]
        // The window opens; then nothing arrives any more.
        for _ in 0..<4 {
            rest = rest.dropFirst(channel.send(rest.prefix(30_000)))
            _ = try pass(channel.advance(now: start), to: &agent, and: &channel)
        }
        rest = rest.dropFirst(channel.send(rest.prefix(60_000)))
        var lost = channel.advance(now: start)
        #expect(lost.count > 16)
        for _ in 0..<3 {
            channel.detach()
            #expect(channel.advance(now: start) == [])
            #expect(channel.attach(token: "t", now: start).count == 1)
            let first = channel.advance(now: start)
            // So that acknowledgements are not behind a megabyte of what may be lost again.
            #expect((1...8).contains(first.count))
            #expect(Array(lost.prefix(first.count)) == first)
            lost = first + lost.dropFirst(first.count)
        }
        channel.detach()
        _ = channel.attach(token: "t", now: start)
        var turns = 0
        while agent.received.count < bytes.count, turns < 1000 {
            turns += 1
            _ = try pass(channel.advance(now: start), to: &agent, and: &channel)
            rest = rest.dropFirst(channel.send(rest))
        }
        #expect(agent.received == bytes)
        #expect(channel.isIdle)
    }

    @Test("The end is asked for behind what waits, not before it")
    func termination() throws {
        var (channel, agent) = try opened()
        _ = channel.send(Array(repeating: 7, count: 8 * PayloadSize.least)[...])
        _ = channel.advance(now: start)
        channel.detach()
        _ = channel.attach(token: "t", now: start)
        #expect(channel.terminate(now: start) == [])
        var last: Frame.PayloadType?
        for _ in 0..<20 {
            let actions = channel.advance(now: start)
            for case .sendBinary(let bytes) in actions { last = try Frame(bytes).payloadType }
            _ = try pass(actions, to: &agent, and: &channel)
        }
        #expect(agent.received.count == 8 * PayloadSize.least)
        #expect(last == .flag)
        #expect(channel.isIdle)
    }

    @Test("Of messages that nothing comes before only some megabytes are kept")
    func ahead() throws {
        var (channel, _) = try opened()
        var random = Seeded(4)
        var kept = 0
        for number in 0..<3000 {
            var frame = Frame(.output, created: 1, id: MessageID(using: &random))
            frame.sequenceNumber = 1_000_000 + Int64(number)
            frame.payloadType = .output
            frame.payload = Array(repeating: 1, count: 32 << 10)
            // What is acknowledged is kept, and nothing else.
            kept += try channel.receive(frame.bytes, now: start).isEmpty ? 0 : frame.payload.count
        }
        #expect(kept > 1 << 20 && kept <= DataChannel.heldBytesLimit)
    }

    @Test("Whatever well-formed messages say, none of it traps or is believed", arguments: 1...3)
    func fuzz(seed: UInt64) throws {
        var random = Seeded(seed)
        let kinds = [
            Frame.Kind.output, .input, .acknowledge, .startPublication, .pausePublication,
            .init(rawValue: "something_new"),
        ]
        let numbers: [Int64] = [0, 1, 2, 3, -1, .max, .min, .max - 1, 1 << 53]
        let texts = [
            "", "{", "{}", "[]", #"{"AgentVersion":7,"RequestedClientActions":{}}"#,
            #"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageSequenceNumber":1e300}"#,
            #"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageSequenceNumber":0}"#,
            #"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageSequenceNumber":-9}"#,
            String(repeating: "[", count: 5000),
        ]
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end {
            var (channel, _) = try opened()
            var now = start
            for _ in 0..<40 {
                var frame = Frame(
                    kinds.randomElement(using: &random) ?? .output,
                    created: .random(in: 0 ... .max, using: &random),
                    id: MessageID(using: &random)
                )
                frame.sequenceNumber = numbers.randomElement(using: &random) ?? 0
                frame.flags = .random(in: 0...5, using: &random)
                frame.payloadType = .init(rawValue: .random(in: 0...14, using: &random))
                frame.payload = Array((texts.randomElement(using: &random) ?? "").utf8)
                now += .milliseconds(Int.random(in: 0...300, using: &random))
                _ = try channel.receive(frame.bytes, now: now)
                _ = channel.send([1, 2, 3])
                _ = channel.advance(now: now)
                if Int.random(in: 0..<10, using: &random) == 0 {
                    channel.detach()
                    _ = channel.attach(token: "t", now: now)
                }
            }
        }
    }
}
