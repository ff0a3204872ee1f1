internal import JSONText

/// A session's data channel, seen from the client, over as many websockets as it takes.
///
/// The owner opens a websocket, calls ``attach(token:now:)``, hands over what comes and does what it
/// is told. When the websocket breaks it calls ``detach()``, gets a new token (ResumeSession) and
/// attaches again: what was not acknowledged is sent once more, and nothing arrives twice.
///
/// After each call, and when ``deadline`` has passed, it calls ``advance(now:)``.
public struct DataChannel {
    /// What the owner is to do.
    public enum Action: Equatable, Sendable {
        /// Send a text message.
        case sendText(String)
        /// Send a binary message.
        case sendBinary([UInt8])
        /// Hand bytes of the stream on, in order.
        case deliver([UInt8], isStandardError: Bool)
        /// The other end is there: bytes flow from now on. What it wants people to be told is empty
        /// as a rule.
        case opened(agentVersion: String, message: String)
        /// Get the key that the agent wants, and hand it over: ``DataChannel/take(_:now:)``.
        case askForKey(DataKeyRequest)
        /// The agent could not connect to its port for one of the connections of the session.
        case refusedConnection
        /// The session is over.
        case closed(Ending)
    }

    /// Why a session ended.
    public enum Ending: Equatable, Sendable {
        /// The instance or the service closed it; what it says about that, often nothing.
        case byPeer(text: String)
        /// Nothing was acknowledged for ``DataChannel/patience``.
        case silent
        /// The agent wants something of the client that it cannot do.
        case unsupported(action: String)
        /// The agent wants the stream encrypted, and there is no key for that; why not.
        case noKey(reason: String)
        /// What came was not encrypted as agreed.
        case undecipherable
    }

    /// What a session leads to.
    public enum Purpose: Sendable {
        /// A port of the instance: bytes flow after a handshake.
        case port
        /// A port by a session that would rather carry many connections: it carries one for clients
        /// that know no better.
        case forwardedPort
        /// A port by a session that carries many connections (``Smux``), or one after the other if
        /// the agent is old.
        case manyConnections
        /// A shell, which may begin without one.
        case shell
    }

    /// Who we say we are: the oldest version AWS admits signs its websocket, as we do.
    public static let clientVersion = "1.2.896.0"
    /// A client that knows nothing of many connections in one session (the agent needs 1.1.70).
    static let modestVersion = "1.1.61.0"
    /// How long the other side may leave everything unacknowledged, as AWS's client has it.
    public static let patience = Duration.seconds(300)
    /// Bytes taken from the owner and not yet on their way.
    static let queueLimit = 256 << 10
    /// Messages kept that came before their turn, and the bytes in them.
    static let heldLimit = 1024
    static let heldBytesLimit = 8 << 20

    /// A point in time of the owner's clock.
    public typealias Instant = ContinuousClock.Instant

    private let purpose: Purpose
    private let clientID: MessageID
    private let start: Instant
    private let startMilliseconds: UInt64
    private var generator: any RandomNumberGenerator

    private var isAttached = false
    private var isPaused = false
    private var isOpen = false
    private var agentVersion = ""
    private var ending: Ending?
    /// The agent's request, as long as its answer waits for a key.
    private var handshake: Handshake?
    private var key: DataKey?

    private var queue: ArraySlice<UInt8> = []
    private var nextOut: Int64 = 0
    private var unacknowledged = Backlog()
    private var nextIn: Int64 = 0
    private var held: [Int64: Frame] = [:]
    private var heldBytes = 0
    private var roundTrip = RoundTrip()
    private var window = SendWindow()
    private var payloadSize = PayloadSize()
    private var quietSince: Instant
    /// Messages that have arrived for the first time, here or there; it grows as long as the session
    /// goes on.
    public private(set) var arrived: UInt64 = 0

    /// Prepares a channel; nothing is sent yet.
    /// - Parameters:
    ///   - purpose: what the session leads to.
    ///   - now: the time.
    ///   - milliseconds: the same as milliseconds since 1970, for the messages.
    ///   - generator: where ids come from.
    public init(
        _ purpose: Purpose,
        now: Instant,
        milliseconds: UInt64,
        generator: some RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.purpose = purpose
        start = now
        startMilliseconds = milliseconds
        quietSince = now
        self.generator = generator
        clientID = MessageID(using: &self.generator)
    }

    // MARK: - The websocket

    /// A websocket is open.
    /// - Parameters:
    ///   - token: what StartSession or ResumeSession gave for it (`TokenValue`).
    ///   - now: the time.
    /// - Returns: the first message; what nobody has acknowledged follows as the window allows, so
    ///   that acknowledgements find their way between it.
    public mutating func attach(token: String, now: Instant) -> [Action] {
        isAttached = true
        isPaused = false
        quietSince = now
        unacknowledged.rewind()
        window.restart()
        roundTrip.note(nil)
        let opening = JSON.object([
            "MessageSchemaVersion": "1.0",
            "RequestId": JSON(.string(MessageID(using: &generator).description)),
            "TokenValue": JSON(.string(token)),
            "ClientId": JSON(.string(clientID.description)),
            "ClientVersion": JSON(.string(DataChannel.clientVersion)),
        ])
        return [.sendText(opening.text)]
    }

    /// The websocket is gone; what is under way is kept.
    public mutating func detach() {
        isAttached = false
        payloadSize.reset()
    }

    /// The owner has read nothing of the websocket for a while, and goes on now: what was not
    /// acknowledged meanwhile may well have arrived.
    /// - Parameter now: the time.
    public mutating func excuse(now: Instant) {
        quietSince = now
        unacknowledged.excuse(now)
    }

    // MARK: - Out

    /// Bytes that ``send(_:)`` takes now.
    public var room: Int {
        isOpen && ending == nil ? DataChannel.queueLimit - queue.count : 0
    }

    /// Whether everything that was taken has arrived.
    public var isIdle: Bool { queue.isEmpty && unacknowledged.isEmpty }

    /// Takes bytes for the other end.
    /// - Parameter bytes: any number.
    /// - Returns: how many were taken, from the first; the others are to be offered again.
    public mutating func send(_ bytes: ArraySlice<UInt8>) -> Int {
        let count = min(bytes.count, room)
        queue += bytes.prefix(count)
        return count
    }

    /// Tells the terminal's size to a shell.
    /// - Parameters:
    ///   - columns: width in characters.
    ///   - rows: height in characters.
    ///   - now: the time.
    /// - Returns: what is to be sent.
    public mutating func resize(columns: Int, rows: Int, now: Instant) -> [Action] {
        let size = JSON.object([
            "cols": JSON(.number(Double(columns))), "rows": JSON(.number(Double(rows))),
        ])
        return put(.size, Array(size.text.utf8), now)
    }

    /// Tells an agent that carries one connection after the other that this one is over; not before
    /// ``isIdle``, as it overtakes what waits.
    /// - Parameter now: the time.
    /// - Returns: what is to be sent.
    public mutating func disconnect(now: Instant) -> [Action] {
        put(.flag, ChannelFlag.disconnectPort.bytes, now)
    }

    /// Asks the agent to end the session.
    /// - Parameter now: the time.
    /// - Returns: what is to be sent.
    public mutating func terminate(now: Instant) -> [Action] {
        put(.flag, ChannelFlag.terminateSession.bytes, now)
    }

    /// When ``advance(now:)`` is to be called even if nothing happens.
    public var deadline: Instant? {
        guard isAttached, !isPaused, ending == nil, let oldest = unacknowledged.oldest else {
            return nil
        }
        return min(oldest.last + roundTrip.timeout, quietSince + DataChannel.patience)
    }

    /// Sends what the window allows, and the oldest message once more if its time is up.
    /// - Parameter now: the time.
    /// - Returns: what is to be done.
    public mutating func advance(now: Instant) -> [Action] {
        guard isAttached, ending == nil else { return [] }
        var actions: [Action] = []
        if !isPaused, let oldest = unacknowledged.oldest {
            if now - quietSince >= DataChannel.patience { return [end(.silent)] }
            if now - oldest.last >= roundTrip.timeout {
                actions.append(.sendBinary(oldest.frame.bytes))
                unacknowledged.noteOldestSent(now)
                roundTrip.backOff()
                window.noteLoss()
            }
        }
        if isPaused { return actions }
        while unacknowledged.underWay < window.messages, let frame = unacknowledged.next(now) {
            actions.append(.sendBinary(frame.bytes))
        }
        while isOpen, !queue.isEmpty, unacknowledged.underWay < window.messages {
            let piece = queue.prefix(payloadSize.bytes)
            guard let payload = sealed(Array(piece)) else { return [end(.undecipherable)] }
            actions += put(.output, payload, now)
            queue = queue.dropFirst(piece.count)
        }
        return actions
    }

    private func sealed(_ bytes: [UInt8]) -> [UInt8]? { key.map { $0.seal(bytes) } ?? bytes }

    /// Sends a message of the stream now, or when those before it have been sent.
    private mutating func put(
        _ type: Frame.PayloadType,
        _ payload: [UInt8],
        _ now: Instant
    )
        -> [Action]
    {
        if unacknowledged.isEmpty { quietSince = now }
        var frame = Frame(.input, created: milliseconds(now), id: MessageID(using: &generator))
        frame.sequenceNumber = nextOut
        frame.payloadType = type
        frame.payload = payload
        nextOut += 1
        let isSent = isAttached && !unacknowledged.hasWaiting
        unacknowledged.append(frame, now, isSent: isSent)
        return isSent ? [.sendBinary(frame.bytes)] : []
    }

    private func milliseconds(_ now: Instant) -> UInt64 {
        let passed = (now - start).components
        return startMilliseconds
            + UInt64(clamping: passed.seconds * 1000 + passed.attoseconds / 1_000_000_000_000_000)
    }

    // MARK: - In

    /// Takes a binary message of the websocket.
    /// - Parameters:
    ///   - bytes: all of it.
    ///   - now: the time.
    /// - Returns: what is to be done.
    /// - Throws: ``FrameError`` when it is none; the session should be given up.
    public mutating func receive(_ bytes: [UInt8], now: Instant) throws(FrameError) -> [Action] {
        let frame = try Frame(bytes)
        guard ending == nil else { return [] }
        switch frame.kind {
        case .output: return take(frame, now)
        case .acknowledge:
            noteAcknowledged(frame, now)
            return []
        case .pausePublication:
            isPaused = true
            return []
        case .startPublication:
            isPaused = false
            quietSince = now
            return []
        case .channelClosed:
            let text = (try? JSON.parse(frame.payload))?["Output"]?.string ?? ""
            return [end(.byPeer(text: text))]
        default: return []
        }
    }

    private mutating func noteAcknowledged(_ frame: Frame, _ now: Instant) {
        guard let json = try? JSON.parse(frame.payload),
            let number = json["AcknowledgedMessageSequenceNumber"]?.integer,
            json["AcknowledgedMessageType"]?.string == Frame.Kind.input.rawValue,
            let message = unacknowledged.remove(Int64(number))
        else { return }
        arrived += 1
        roundTrip.note(message.isRepeated ? nil : now - message.first)
        window.noteAcknowledged()
        payloadSize.noteAcknowledged(message.frame.payload.count)
        quietSince = now
    }

    private mutating func take(_ frame: Frame, _ now: Instant) -> [Action] {
        if frame.sequenceNumber > nextIn {
            if held[frame.sequenceNumber] == nil {
                guard held.count < DataChannel.heldLimit,
                    heldBytes + frame.payload.count <= DataChannel.heldBytesLimit
                else { return [] }
                held[frame.sequenceNumber] = frame
                heldBytes += frame.payload.count
            }
            return [acknowledgement(of: frame, now)]
        }
        var actions = [acknowledgement(of: frame, now)]
        // What came before is acknowledged again, as the first time was lost.
        guard frame.sequenceNumber == nextIn else { return actions }
        var next: Frame? = frame
        while let frame = next, ending == nil {
            arrived += 1
            actions += act(on: frame, now)
            nextIn += 1
            next = held.isEmpty ? nil : held.removeValue(forKey: nextIn)
            heldBytes -= next?.payload.count ?? 0
        }
        return actions
    }

    private mutating func acknowledgement(of frame: Frame, _ now: Instant) -> Action {
        var answer = Frame(
            .acknowledge,
            created: milliseconds(now),
            id: MessageID(using: &generator)
        )
        answer.flags = Frame.controlFlags
        // Written by hand, as there is one for each message; neither name needs quoting.
        answer.payload = acknowledgementBegin
        answer.payload += frame.id.text
        answer.payload += acknowledgementMiddle
        answer.payload += "\(frame.sequenceNumber)".utf8
        answer.payload += acknowledgementEnd
        return .sendBinary(answer.bytes)
    }

    private mutating func act(on frame: Frame, _ now: Instant) -> [Action] {
        switch frame.payloadType {
        case .handshakeRequest: return shakeHands(frame.payload, now)
        case .challengeRequest: return answerChallenge(frame.payload, now)
        case .handshakeComplete:
            let message = (try? JSON.parse(frame.payload))?["CustomerMessage"]?.string
            return open(message ?? "")
        case .output, .error, .standardError: return deliver(frame)
        case .flag where ChannelFlag(frame.payload) == .connectError: return [.refusedConnection]
        default: return []
        }
    }

    private mutating func deliver(_ frame: Frame) -> [Action] {
        var bytes = frame.payload
        // The agent's own errors are not part of what is encrypted.
        if let key, frame.payloadType != .error {
            guard let plain = key.open(bytes) else { return [end(.undecipherable)] }
            bytes = plain
        }
        let isStandardError = frame.payloadType == .standardError
        let opening = purpose == .shell ? open("") : []
        return opening + [.deliver(bytes, isStandardError: isStandardError)]
    }

    private mutating func open(_ message: String) -> [Action] {
        if isOpen { return [] }
        isOpen = true
        return [.opened(agentVersion: agentVersion, message: message)]
    }

    // MARK: - The handshake

    /// Says to each thing the agent asks for whether we do it; a key has to be got first.
    private mutating func shakeHands(_ payload: [UInt8], _ now: Instant) -> [Action] {
        let handshake = Handshake(payload)
        agentVersion = handshake.agentVersion
        if let action = handshake.unsupported(for: purpose) {
            return answer(handshake, nil, now) + [end(.unsupported(action: action))]
        }
        guard let request = handshake.keyRequest else { return answer(handshake, nil, now) }
        self.handshake = handshake
        return [.askForKey(request)]
    }

    /// Hands over the key that was asked for, or says why there is none.
    /// - Parameters:
    ///   - result: what came of the question.
    ///   - now: the time.
    /// - Returns: what is to be done.
    public mutating func take(
        _ result: Result<DataKey, DataKeyRefusal>,
        now: Instant
    ) -> [Action] {
        guard let handshake, ending == nil else { return [] }
        self.handshake = nil
        let answer = answer(handshake, result, now)
        switch result {
        case .success(let key):
            self.key = key
            return answer
        case .failure(let refusal): return answer + [end(.noKey(reason: refusal.reason))]
        }
    }

    private mutating func answer(
        _ handshake: Handshake,
        _ key: Result<DataKey, DataKeyRefusal>?,
        _ now: Instant
    ) -> [Action] {
        let version =
            purpose == .forwardedPort ? DataChannel.modestVersion : DataChannel.clientVersion
        let text = handshake.answer(version: version, purpose, key: key)
        return put(.handshakeResponse, text, now)
    }

    /// Shows the agent that the key is the same on both sides.
    private mutating func answerChallenge(_ payload: [UInt8], _ now: Instant) -> [Action] {
        guard let text = (try? JSON.parse(payload))?["Challenge"]?.string,
            let challenge = base64Decoded(text.utf8), let key, let plain = key.open(challenge),
            let answer = key.seal(plain)
        else { return [end(.undecipherable)] }
        let json = JSON.object(["Challenge": JSON(.string(base64Encoded(answer)))])
        return put(.challengeResponse, Array(json.text.utf8), now)
    }

    private mutating func end(_ ending: Ending) -> Action {
        self.ending = ending
        return .closed(ending)
    }
}

private let acknowledgementBegin = Array(
    "{\"AcknowledgedMessageType\":\"\(Frame.Kind.output.rawValue)\",\"AcknowledgedMessageId\":\""
        .utf8
)
private let acknowledgementMiddle = Array("\",\"AcknowledgedMessageSequenceNumber\":".utf8)
private let acknowledgementEnd = Array(",\"IsSequentialMessage\":true}".utf8)
