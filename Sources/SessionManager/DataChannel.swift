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
        /// The other end is there: bytes flow from now on.
        case opened(agentVersion: String)
        /// The session is over.
        case closed(Ending)
    }

    /// Why a session ended.
    public enum Ending: Equatable, Sendable {
        /// The instance or the service closed it; what it says about that, often nothing.
        case byPeer(text: String)
        /// Nothing was acknowledged for ``DataChannel/patience``.
        case silent
        /// The agent wants something of the client that it cannot do, such as `KMSEncryption`.
        case unsupported(action: String)
    }

    /// What a session leads to.
    public enum Purpose: Sendable {
        /// A port of the instance: bytes flow after a handshake.
        case port
        /// A port of the instance by a session that would rather carry many connections: it carries
        /// one for clients that know no better.
        case forwardedPort
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
    /// - Returns: the first message, and all that nobody has acknowledged.
    public mutating func attach(token: String, now: Instant) -> [Action] {
        isAttached = true
        isPaused = false
        quietSince = now
        let opening = JSON.object([
            "MessageSchemaVersion": "1.0",
            "RequestId": JSON(.string(MessageID(using: &generator).description)),
            "TokenValue": JSON(.string(token)),
            "ClientId": JSON(.string(clientID.description)),
            "ClientVersion": JSON(.string(DataChannel.clientVersion)),
        ])
        return [.sendText(opening.text)] + repeatAll(now)
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
        unacknowledged.noteSent(now)
    }

    private mutating func repeatAll(_ now: Instant) -> [Action] {
        unacknowledged.noteSent(now)
        return unacknowledged.frames.map { .sendBinary($0.bytes) }
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
        return [put(.size, Array(size.text.utf8), now)]
    }

    /// Asks the agent to end the session.
    /// - Parameter now: the time.
    /// - Returns: what is to be sent.
    public mutating func terminate(now: Instant) -> [Action] {
        // PayloadTypeFlag TerminateSession.
        [put(.flag, [0, 0, 0, 2], now)]
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
        while isOpen, !isPaused, !queue.isEmpty, unacknowledged.count < window.messages {
            let piece = queue.prefix(payloadSize.bytes)
            actions.append(put(.output, Array(piece), now))
            queue = queue.dropFirst(piece.count)
        }
        return actions
    }

    private mutating func put(
        _ type: Frame.PayloadType,
        _ payload: [UInt8],
        _ now: Instant
    )
        -> Action
    {
        if unacknowledged.isEmpty { quietSince = now }
        var frame = Frame(.input, created: milliseconds(now), id: MessageID(using: &generator))
        frame.sequenceNumber = nextOut
        frame.payloadType = type
        frame.payload = payload
        nextOut += 1
        unacknowledged.append(frame, now)
        return .sendBinary(frame.bytes)
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
            actions += act(on: frame, now)
            nextIn += 1
            next = held.isEmpty ? nil : held.removeValue(forKey: nextIn)
            heldBytes -= next?.payload.count ?? 0
        }
        return actions
    }

    private mutating func acknowledgement(of frame: Frame, _ now: Instant) -> Action {
        // Written by hand, as there is one for each message; neither name needs quoting.
        let content =
            "{\"AcknowledgedMessageType\":\"\(Frame.Kind.output.rawValue)\","
            + "\"AcknowledgedMessageId\":\"\(frame.id)\","
            + "\"AcknowledgedMessageSequenceNumber\":\(frame.sequenceNumber),"
            + "\"IsSequentialMessage\":true}"
        var answer = Frame(
            .acknowledge,
            created: milliseconds(now),
            id: MessageID(using: &generator)
        )
        answer.flags = Frame.controlFlags
        answer.payload = Array(content.utf8)
        return .sendBinary(answer.bytes)
    }

    private mutating func act(on frame: Frame, _ now: Instant) -> [Action] {
        switch frame.payloadType {
        case .handshakeRequest: return shakeHands(frame, now)
        case .handshakeComplete: return open()
        case .output, .error:
            let opening = purpose == .shell ? open() : []
            return opening + [.deliver(frame.payload, isStandardError: false)]
        case .standardError: return [.deliver(frame.payload, isStandardError: true)]
        default: return []
        }
    }

    private mutating func open() -> [Action] {
        if isOpen { return [] }
        isOpen = true
        return [.opened(agentVersion: agentVersion)]
    }

    /// Says to each thing the agent asks for whether we do it.
    private mutating func shakeHands(_ frame: Frame, _ now: Instant) -> [Action] {
        let request = try? JSON.parse(frame.payload)
        agentVersion = request?["AgentVersion"]?.string ?? ""
        let names = (request?["RequestedClientActions"]?.array ?? [])
            .compactMap { $0["ActionType"]?.string }
        let isSupported = { (name: String) in name == "SessionType" }
        let version =
            purpose == .forwardedPort ? DataChannel.modestVersion : DataChannel.clientVersion
        let answer = JSON.object([
            "ClientVersion": JSON(.string(version)),
            "ProcessedClientActions": JSON(
                .array(
                    names.map { name in
                        JSON.object([
                            "ActionType": JSON(.string(name)),
                            // 1 done, 3 unsupported.
                            "ActionStatus": isSupported(name) ? 1 : 3,
                            "ActionResult": JSON(.null),
                            "Error": JSON(.string(isSupported(name) ? "" : "unsupported")),
                        ])
                    }
                )
            ),
            "Errors": JSON(.array([])),
        ])
        let response = put(.handshakeResponse, Array(answer.text.utf8), now)
        guard let unsupported = names.first(where: { !isSupported($0) }) else { return [response] }
        return [response, end(.unsupported(action: unsupported))]
    }

    private mutating func end(_ ending: Ending) -> Action {
        self.ending = ending
        return .closed(ending)
    }
}
