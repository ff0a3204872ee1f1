import JSONText
import TestSupport
import Testing

@testable import SessionManager

@Suite struct DataChannelTests {
    private let start = ContinuousClock.now

    private func channel(_ purpose: DataChannel.Purpose = .port) -> DataChannel {
        DataChannel(purpose, now: start, milliseconds: 1_700_000_000_000, generator: Seeded(1))
    }

    /// A channel past its handshake, with the agent that it is joined to.
    private func opened() throws -> (DataChannel, Agent) {
        var channel = channel()
        var agent = Agent()
        _ = channel.attach(token: "t", now: start)
        for action in try channel.receive(agent.askForPort(), now: start) {
            try answer(action, &agent, &channel)
        }
        let done = agent.send(.handshakeComplete, Array("{}".utf8))
        let actions = try channel.receive(done, now: start)
        #expect(actions.contains(.opened(agentVersion: "3.3.0.0", message: "")))
        for action in actions { try answer(action, &agent, &channel) }
        return (channel, agent)
    }

    private func answer(
        _ action: DataChannel.Action,
        _ agent: inout Agent,
        _ channel: inout DataChannel,
        at now: DataChannel.Instant? = nil
    ) throws {
        guard case .sendBinary(let bytes) = action else { return }
        for bytes in try agent.receive(bytes) {
            #expect(try channel.receive(bytes, now: now ?? start) == [])
        }
    }

    @Test("The first text of a websocket has the token and who we are")
    func opening() throws {
        var channel = channel()
        let actions = channel.attach(token: "to\"ken", now: start)
        guard case .sendText(let text) = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        let json = try JSON.parse(Array(text.utf8))
        #expect(json["MessageSchemaVersion"]?.string == "1.0")
        #expect(json["TokenValue"]?.string == "to\"ken")
        #expect(json["ClientVersion"]?.string == DataChannel.clientVersion)
        // The same client comes back with another request.
        channel.detach()
        guard case .sendText(let again) = channel.attach(token: "new", now: start).first else {
            Issue.record("nothing was sent")
            return
        }
        let second = try JSON.parse(Array(again.utf8))
        #expect(second["ClientId"]?.string == json["ClientId"]?.string)
        #expect(second["RequestId"]?.string != json["RequestId"]?.string)
    }

    @Test("A port opens after the handshake, and takes bytes from then on only")
    func handshake() throws {
        var (channel, agent) = try opened()
        let processed = agent.response?["ProcessedClientActions"]?.array?.first
        #expect(processed?["ActionType"]?.string == "SessionType")
        #expect(processed?["ActionStatus"]?.integer == 1)
        #expect(agent.response?["ClientVersion"]?.string == DataChannel.clientVersion)
        #expect(channel.send([1, 2, 3]) == 3)
        for action in channel.advance(now: start) { try answer(action, &agent, &channel) }
        #expect(agent.received == [1, 2, 3])
        #expect(channel.deadline == nil)
        var closed = self.channel()
        #expect(closed.room == 0)
        #expect(closed.send([1]) == 0)
    }

    @Test("A shell begins with its first output, without a handshake")
    func shell() throws {
        var channel = channel(.shell)
        var agent = Agent()
        _ = channel.attach(token: "t", now: start)
        let actions = try channel.receive(agent.send(.output, Array("$ ".utf8)), now: start)
        #expect(actions.contains(.opened(agentVersion: "", message: "")))
        #expect(actions.last == .deliver(Array("$ ".utf8), isStandardError: false))
        let size = channel.resize(columns: 80, rows: 24, now: start)
        guard case .sendBinary(let bytes) = size.first else { return }
        let frame = try Frame(bytes)
        #expect(frame.payloadType == .size)
        #expect(String(decoding: frame.payload, as: UTF8.self) == #"{"cols":80,"rows":24}"#)
    }

    @Test("What the agent asks for and we cannot do is refused, and ends the session")
    func unsupported() throws {
        // Nobody encrypts a port.
        for (purpose, action) in [
            (DataChannel.Purpose.shell, "SomethingNew"), (.port, "KMSEncryption"),
        ] {
            var channel = channel(purpose)
            var agent = Agent()
            _ = channel.attach(token: "t", now: start)
            let actions = try channel.receive(agent.askForPort([action]), now: start)
            #expect(actions.last == .closed(.unsupported(action: action)))
            for action in actions { try answer(action, &agent, &channel) }
            let statuses = agent.response?["ProcessedClientActions"]?.array?
                .compactMap { $0["ActionStatus"]?.integer }
            #expect(statuses == [1, 3])
        }
    }

    // MARK: - Encryption

    /// A shell whose agent wants it encrypted, up to the question for a key.
    private func asked(challenge: String?) throws -> (DataChannel, Agent, DataKeyRequest) {
        var channel = channel(.shell)
        var agent = Agent()
        _ = channel.attach(token: "t", now: start)
        let actions = try channel.receive(agent.askForKey("key/1", challenge), now: start)
        #expect(agent.response == nil)
        guard case .askForKey(let request) = actions.last else {
            throw Unexpected(actions: actions)
        }
        return (channel, agent, request)
    }

    private struct Unexpected: Error { let actions: [DataChannel.Action] }

    @Test("A key is asked for with all that the agent will look at", arguments: ["abc=", nil])
    func keyRequest(challenge: String?) throws {
        var (channel, agent, request) = try asked(challenge: challenge)
        #expect(request.keyID == "key/1")
        let context = request.context(session: "jane-1", target: "i-1")
            .map { "\($0.name)=\($0.value)" }
        #expect(
            context == ["aws:ssm:SessionId=jane-1", "aws:ssm:TargetId=i-1"]
                + (challenge.map { ["aws:ssm:RandomChallenge=\($0)"] } ?? [])
        )
        let key = try #require(DataKey(plain: agent.plainKey, sealed: [1, 2, 3]))
        for action in channel.take(.success(key), now: start) {
            try answer(action, &agent, &channel)
        }
        let action = agent.response?["ProcessedClientActions"]?.array?.last
        #expect(action?["ActionStatus"]?.integer == 1)
        let result = action?["ActionResult"]
        #expect(result?["KMSCipherTextKey"]?.string == "AQID")
        // printf '\001\002\003' | sha256sum
        #expect(
            result?["KMSCipherTextHash"]?.string == "A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc+4E="
        )
        #expect(result?["ChallengeAcknowledgement"]?.bool == (challenge == nil ? nil : true))
    }

    @Test("An encrypted shell proves its key, and is encrypted both ways")
    func encrypted() throws {
        var (channel, agent, _) = try asked(challenge: "c")
        #expect(channel.room == 0)
        let key = try #require(DataKey(plain: agent.plainKey, sealed: [1]))
        for action in channel.take(.success(key), now: start) {
            try answer(action, &agent, &channel)
        }
        let secret = Array("a secret of the agent's".utf8)
        for action in try channel.receive(agent.challenge(secret), now: start) {
            try answer(action, &agent, &channel)
        }
        #expect(agent.challengeAnswer == secret)
        let done = agent.send(.handshakeComplete, Array(#"{"CustomerMessage":"hello"}"#.utf8))
        let opened = try channel.receive(done, now: start)
        #expect(opened.contains(.opened(agentVersion: "3.3.0.0", message: "hello")))
        let prompt = agent.send(.output, agent.sealed(Array("$ ".utf8)))
        let shown = try channel.receive(prompt, now: start)
        #expect(shown.last == .deliver(Array("$ ".utf8), isStandardError: false))
        #expect(channel.send([108, 115]) == 2)
        for action in channel.advance(now: start) { try answer(action, &agent, &channel) }
        #expect(agent.received != [108, 115])
        #expect(agent.opened(agent.received) == [108, 115])
    }

    @Test("What is not encrypted as agreed ends the session")
    func undecipherable() throws {
        var (channel, agent, _) = try asked(challenge: nil)
        let key = try #require(DataKey(plain: agent.plainKey, sealed: [1]))
        for action in channel.take(.success(key), now: start) {
            try answer(action, &agent, &channel)
        }
        var forged = agent.sealed(Array("$ ".utf8))
        forged[forged.count - 1] ^= 1
        let actions = try channel.receive(agent.send(.output, forged), now: start)
        #expect(actions.last == .closed(.undecipherable))
        var (plain, honest, _) = try asked(challenge: nil)
        _ = plain.take(.success(key), now: start)
        let words = honest.send(.output, Array("not encrypted at all".utf8))
        #expect(try plain.receive(words, now: start).last == .closed(.undecipherable))
    }

    @Test("Without a key the agent is told so, and the session ends with the reason")
    func noKey() throws {
        var (channel, agent, _) = try asked(challenge: "c")
        let actions = channel.take(.failure(DataKeyRefusal("not allowed")), now: start)
        #expect(actions.last == .closed(.noKey(reason: "not allowed")))
        for action in actions { try answer(action, &agent, &channel) }
        let action = agent.response?["ProcessedClientActions"]?.array?.last
        #expect(action?["ActionStatus"]?.integer == 2)
        #expect(action?["Error"]?.string == "not allowed")
        #expect(DataKey(plain: Array(repeating: 0, count: 32), sealed: []) == nil)
    }

    @Test("The agent's word that it could not connect is passed on, other flags are not")
    func flags() throws {
        var (channel, agent) = try opened()
        let refused = try channel.receive(agent.send(.flag, [0, 0, 0, 3]), now: start)
        #expect(refused.last == .refusedConnection)
        for payload in [[0, 0, 0, 2], [0, 0, 0, 9], [3], [], [0, 0, 0, 0, 3]] as [[UInt8]] {
            let actions = try channel.receive(agent.send(.flag, payload), now: start)
            #expect(actions.count == 1)
        }
        guard case .sendBinary(let bytes) = channel.disconnect(now: start).first else {
            Issue.record("nothing was sent")
            return
        }
        #expect(try Frame(bytes).payload == [0, 0, 0, 1])
    }

    @Test("All that arrives for the first time counts, either way, and nothing twice")
    func arrived() throws {
        var (channel, agent) = try opened()
        let before = channel.arrived
        let bytes = agent.send(.output, [1])
        _ = try channel.receive(bytes, now: start)
        _ = try channel.receive(bytes, now: start)
        #expect(channel.arrived == before + 1)
        _ = channel.send([1])
        for action in channel.advance(now: start) { try answer(action, &agent, &channel) }
        #expect(channel.arrived == before + 2)
    }

    @Test("Messages that overtake others wait for them; doubles are acknowledged and dropped")
    func order() throws {
        var (channel, agent) = try opened()
        let first = agent.send(.output, [1])
        let second = agent.send(.output, [2])
        let early = try channel.receive(second, now: start)
        #expect(early.count == 1)
        let both = try channel.receive(first, now: start)
        let delivered = both.filter { if case .deliver = $0 { true } else { false } }
        #expect(
            delivered == [
                .deliver([1], isStandardError: false), .deliver([2], isStandardError: false),
            ]
        )
        let double = try channel.receive(first, now: start)
        #expect(double.count == 1)
        guard case .sendBinary(let bytes) = double[0] else { return }
        #expect(try Frame(bytes).kind == .acknowledge)
    }

    @Test(
        "What is not acknowledged is sent again, later each time, and given up after five minutes"
    )
    func retransmission() throws {
        var (channel, _) = try opened()
        _ = channel.send([7])
        let sent = channel.advance(now: start)
        var now = start
        var gaps: [Duration] = []
        while let deadline = channel.deadline, gaps.count < 1000 {
            #expect(channel.advance(now: deadline - .milliseconds(1)) == [])
            let actions = channel.advance(now: deadline)
            gaps.append(deadline - now)
            now = deadline
            if actions == [.closed(.silent)] { break }
            #expect(actions == sent)
        }
        #expect(gaps[0] <= .milliseconds(200))
        #expect(gaps.dropLast().max() == .seconds(1))
        #expect(now - start == DataChannel.patience)
        #expect(channel.deadline == nil)
    }

    @Test("A pause stops sending and asks for no patience; a start goes on")
    func pause() throws {
        var (channel, agent) = try opened()
        var random = Seeded(5)
        let id = MessageID(using: &random)
        let pause = Frame(.pausePublication, created: 1, id: id)
        #expect(try channel.receive(pause.bytes, now: start) == [])
        #expect(channel.send([1]) == 1)
        #expect(channel.advance(now: start + .seconds(1000)) == [])
        #expect(channel.deadline == nil)
        let go = Frame(.startPublication, created: 1, id: id)
        let later = start + .seconds(1000)
        #expect(try channel.receive(go.bytes, now: later) == [])
        for action in channel.advance(now: later) {
            try answer(action, &agent, &channel, at: later)
        }
        #expect(agent.received == [1])
    }

    @Test("The other side's close ends it with its text")
    func close() throws {
        var (channel, _) = try opened()
        var random = Seeded(5)
        var frame = Frame(.channelClosed, created: 1, id: MessageID(using: &random))
        frame.payloadType = nil
        frame.payload = Array(#"{"Output":"Connection to destination port failed"}"#.utf8)
        #expect(
            try channel.receive(frame.bytes, now: start) == [
                .closed(.byPeer(text: "Connection to destination port failed"))
            ]
        )
        #expect(channel.room == 0)
    }

    @Test("The queue has an end")
    func bounded() throws {
        var (channel, _) = try opened()
        let taken = channel.send(Array(repeating: 0, count: 1 << 20)[...])
        #expect(taken == DataChannel.queueLimit)
        #expect(channel.room == 0)
    }

    @Test(
        "Through losses, doubles, delays and broken websockets every byte passes once, in order",
        arguments: (1...20).map(UInt64.init)
    )
    func storm(seed: UInt64) throws {
        var (channel, agent) = try opened()
        var random = Seeded(seed)
        let up = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let down = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        var toSend = up[...]
        var toAnswer = down[...]
        var arrived: [UInt8] = []
        var now = start
        // What is on its way, to either side.
        var toAgent: [[UInt8]] = []
        var toClient: [[UInt8]] = []
        func act(_ actions: [DataChannel.Action]) {
            for action in actions {
                switch action {
                case .sendBinary(let bytes): toAgent.append(bytes)
                case .deliver(let bytes, _): arrived += bytes
                case .sendText, .opened, .askForKey, .refusedConnection: break
                case .closed(let ending): Issue.record("seed \(seed): closed: \(ending)")
                }
            }
        }
        var turns = 0
        while agent.received.count < up.count || arrived.count < down.count, turns < 50_000 {
            turns += 1
            now += .milliseconds(Int.random(in: 0...60, using: &random))
            toSend = toSend.dropFirst(channel.send(toSend.prefix(5000)))
            act(channel.advance(now: now))
            if !toAnswer.isEmpty, agent.unacknowledged.count < 8 {
                toClient.append(agent.send(.output, Array(toAnswer.prefix(1024))))
                toAnswer = toAnswer.dropFirst(1024)
            }
            if turns % 20 == 0 { toClient += agent.again }
            for _ in 0..<Int.random(in: 0...12, using: &random) where !toAgent.isEmpty {
                let at = Int.random(in: 0..<min(3, toAgent.count), using: &random)
                let bytes = toAgent.remove(at: at)
                if Int.random(in: 0..<10, using: &random) == 0 { continue }
                if Int.random(in: 0..<10, using: &random) == 0 { toAgent.append(bytes) }
                toClient += try agent.receive(bytes)
            }
            for _ in 0..<Int.random(in: 0...12, using: &random) where !toClient.isEmpty {
                let at = Int.random(in: 0..<min(3, toClient.count), using: &random)
                let bytes = toClient.remove(at: at)
                if Int.random(in: 0..<10, using: &random) == 0 { continue }
                act(try channel.receive(bytes, now: now))
            }
            if Int.random(in: 0..<40, using: &random) == 0 {
                toAgent = []
                toClient = []
                channel.detach()
                now += .milliseconds(500)
                act(channel.attach(token: "again", now: now))
            }
        }
        #expect(agent.received == up, "seed \(seed)")
        #expect(arrived == down, "seed \(seed)")
    }
}
