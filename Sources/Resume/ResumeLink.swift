/// L1: one numbered byte stream each way, over links that come and go.
///
/// Valid transitions are: `away` ▶ (attach) `opening` ▶ (magic line) `greeting` ▶ (WELCOME) `up`;
/// without a magic line from `away` to `greeting` at once; from all of them ▶ (lost) `away`, and to
/// `over` when the remote half says that this link is the last or BYE was answered.
///
/// What is owed to the peer (ACK, PONG, PING, BYE) is noted, not queued, so that nothing the peer
/// does makes this grow.
struct ResumeLink {
    typealias Instant = ContinuousClock.Instant

    /// What came.
    enum Arrival {
        case welcome(ResumeSession.Attachment)
        case refusal(Refusal)
        case notice(ResumeSession.Notice)
        /// The next bytes of the stream, as a place in what came.
        case data(Range<Int>)
        /// BYE with its reason.
        case bye(UInt8)
        case byeOK
    }

    private enum State {
        case away
        case opening(MagicLine)
        case greeting
        case up
        case over
    }

    /// How a session is entered.
    enum Entry {
        case start(ResumeSession.Start)
        case join
    }

    /// How long the peer may go without an acknowledgement of what was consumed.
    private static let acknowledgementDelay = Duration.milliseconds(200)
    /// Bytes sent ahead of WELCOME on a later link: a few keystrokes, that may be there already.
    private static let aheadLimit = 4096

    private let identity: ResumeSession.Identity
    private let entry: Entry
    private(set) var stream: NumberedStream
    private var state = State.away
    private var scanner = FrameScanner(LinkFrame.shapeFromRemote)
    private(set) var generation: UInt32 = 0
    private var bootID: [UInt8] = []
    private var firstStart: Instant?
    private(set) var hasBeenWelcome = false
    private var isUncertain = false

    /// The body, HELLO and START, as far as they are not sent.
    private var opening: [UInt8] = []
    private var openingSent = 0
    private var heartbeat: Heartbeat
    private var pace = Pace()
    /// Links in a row that were not answered.
    private var unanswered = 0
    /// How many times as long as otherwise the other side may be silent: links that mend themselves
    /// need a moment for it.
    var forbearance = 1
    /// Links in a row that were welcome, and silent after that.
    private var silences = 0
    private var pong: UInt64?
    private var acknowledgeAt: Instant?
    private var farewell: ResumeSession.Farewell?
    private var hasSaidFarewell = false

    init(
        _ identity: ResumeSession.Identity,
        _ entry: Entry,
        window: Int,
        roundTrip: Duration?,
        now: Instant
    ) {
        self.identity = identity
        self.entry = entry
        stream = NumberedStream(receiveWindow: window)
        heartbeat = Heartbeat(roundTrip: roundTrip, now: now)
    }

    // MARK: - Links

    var isAttached: Bool {
        switch state {
        case .away, .over: false
        default: true
        }
    }

    var isUp: Bool { if case .up = state { true } else { false } }

    var isOver: Bool { if case .over = state { true } else { false } }

    var roundTrip: Duration? { heartbeat.roundTrip }

    /// A link is open.
    /// - Parameters:
    ///   - body: what goes first where a magic line comes first; nil on a socket.
    ///   - now: the time.
    mutating func attach(body: [UInt8]?, now: Instant) {
        if isOver { return }
        scanner = FrameScanner(LinkFrame.shapeFromRemote)
        heartbeat = Heartbeat(
            roundTrip: heartbeat.roundTrip,
            failures: unanswered,
            silences: silences,
            forbearance: forbearance,
            now: now
        )
        pace = Pace()
        unanswered += 1
        pong = nil
        acknowledgeAt = nil
        stream.beginLink()
        generation &+= 1
        opening = (body ?? []) + greeting(now)
        openingSent = 0
        hasSaidFarewell = false
        state = body == nil ? .greeting : .opening(MagicLine())
    }

    private mutating func greeting(_ now: Instant) -> [UInt8] {
        var hello = Hello(mode: .attach, identity: identity, generation: generation)
        hello.received = stream.received
        hello.consumed = stream.consumed
        hello.window = UInt32(clamping: stream.receiveWindow)
        hello.bootID = bootID
        if hasBeenWelcome { return hello.bytes }
        switch entry {
        case .start(let start):
            hello.mode = .start
            let since = firstStart.map { now - $0 } ?? .zero
            firstStart = firstStart ?? now
            return hello.bytes + start.frame(since: since)
        case .join:
            hello.mode = .join
            hello.generation = 0
            return hello.bytes
        }
    }

    /// The link is gone.
    /// - Parameters:
    ///   - channelEnded: whether the server ended the channel, rather than that the connection broke.
    ///   - now: the time.
    mutating func lose(channelEnded: Bool, now: Instant) {
        if isUp, !heartbeat.isAnswered, heartbeat.verdict(now) != .alive { silences += 1 }
        if !hasBeenWelcome && isStartSent {
            switch state {
            case .opening: if !channelEnded { isUncertain = true }
            case .greeting: isUncertain = true
            default: break
            }
        }
        if !isOver { state = .away }
        opening = []
        openingSent = 0
    }

    /// No link is of use any more.
    mutating func giveUp() { state = .over }

    /// Whether START is out, to its end: with less, nothing is started.
    private var isStartSent: Bool { openingSent == opening.count }

    /// Whether the command may have been started.
    var started: ResumeSession.Started {
        if hasBeenWelcome { return .yes }
        if isUncertain { return .uncertain }
        switch state {
        case .opening, .greeting: return isStartSent ? .uncertain : .no
        default: return .no
        }
    }

    // MARK: - In

    /// Finds the next thing that came.
    /// - Returns: nil when all is used up.
    mutating func next(
        in bytes: Span<UInt8>,
        _ position: inout Int,
        now: Instant
    ) throws(ResumeError) -> Arrival? {
        heartbeat.noteHeard(now)
        if case .opening(var line) = state {
            let word = try line.find(in: bytes, &position)
            switch word {
            case .version1: state = .greeting
            case .noPython:
                return .refusal(refuse(Refusal(.cannotStart, "the host has no Python 3")))
            case nil:
                state = .opening(line)
                return nil
            }
        }
        while isAttached, let piece = try scanner.next(in: bytes, &position, end: bytes.count) {
            if let arrival = try take(piece, now) { return arrival }
        }
        return nil
    }

    private mutating func take(
        _ piece: FrameScanner.Piece,
        _ now: Instant
    ) throws(ResumeError) -> Arrival? {
        switch piece {
        case .flowing(_, let offset, let passed, let place):
            guard isUp else { throw .malformed("data before its welcome") }
            let (start, overflow) = offset.addingReportingOverflow(UInt64(passed))
            if overflow { throw .inconsistent("an offset beyond all numbers") }
            let known = try stream.accept(start, place.count)
            return known == place.count ? nil : .data(place.dropFirst(known))
        case .whole(LinkFrame.welcome, let payload):
            return .welcome(try welcome(payload, now))
        case .whole(LinkFrame.refuse, let payload):
            return .refusal(refuse(try Refusal(payload)))
        case .whole(let type, let payload):
            guard isUp else { throw .malformed("a frame of type \(type) before its welcome") }
            return try take(type, payload, now)
        }
    }

    private mutating func take(
        _ type: UInt8,
        _ payload: [UInt8],
        _ now: Instant
    ) throws(ResumeError) -> Arrival? {
        var reader = WireReader(payload)
        switch type {
        case LinkFrame.acknowledgement:
            let before = stream.underWay
            let received = try reader.number(UInt64.self)
            try stream.note(received: received, consumed: try reader.number(UInt64.self))
            let left = stream.underWay
            pace.noteArrived(before - left, isAll: left == 0, now)
        case LinkFrame.ping: pong = try reader.number(UInt64.self)
        case LinkFrame.pong:
            heartbeat.notePong(try reader.number(UInt64.self), now)
            if heartbeat.isAnswered { silences = 0 }
        case LinkFrame.notice:
            let code = try reader.number(UInt8.self)
            let text = try reader.text()
            try reader.finish()
            return .notice(code == 1 ? .killedAtLogout : .other(code: code, text: text))
        case LinkFrame.bye:
            let reason = try reader.number(UInt8.self)
            try reader.finish()
            state = .over
            return .bye(reason)
        case LinkFrame.byeOK:
            try reader.finish()
            guard farewell != nil else { throw .malformed("an answer to a BYE that was not said") }
            state = .over
            return .byeOK
        default: throw .malformed("a frame of type \(type)")
        }
        try reader.finish()
        return nil
    }

    private mutating func welcome(
        _ payload: [UInt8],
        _ now: Instant
    ) throws(ResumeError) -> ResumeSession.Attachment {
        guard case .greeting = state else { throw .malformed("a second welcome") }
        let welcome = try Welcome(payload)
        let isFirst = !hasBeenWelcome
        let window = Int(clamping: welcome.window)
        guard window >= NumberedStream.leastWindow, window <= stream.receiveWindow,
            isFirst || window == stream.receiveWindow
        else { throw .inconsistent("a window of \(window) bytes") }
        if case .join = entry, isFirst {
            generation = welcome.generation
        } else if welcome.generation != generation {
            throw .inconsistent("link \(welcome.generation) is welcome, this is \(generation)")
        }
        if stream.isBehind(welcome.received) { throw .inconsistent("bytes it had are gone") }
        try stream.note(received: welcome.received, consumed: welcome.consumed)
        if isFirst { stream.setWindow(window) }
        unanswered = 0
        bootID = welcome.bootID
        hasBeenWelcome = true
        state = .up
        heartbeat.noteGreeted(now)
        return ResumeSession.Attachment(
            isNew: welcome.flags & 1 != 0,
            isFirst: isFirst,
            kind: ResumeSession.Kind(rawValue: welcome.kind),
            hasPty: welcome.startFlags & 1 != 0,
            inputHasEnded: welcome.flags & 2 != 0,
            pid: welcome.pid,
            socketPath: welcome.socketPath
        )
    }

    private mutating func refuse(_ refusal: Refusal) -> Refusal {
        // What was refused because nothing was started leaves no doubt; busy leaves the old one.
        if refusal.code == .cannotStart { isUncertain = false }
        state = refusal.code == .busy || refusal.code == .malformed ? .away : .over
        return refusal
    }

    /// The layer above has taken all that came.
    mutating func noteConsumed(_ now: Instant) {
        stream.consumeAll()
        if stream.untold > 0 && acknowledgeAt == nil {
            acknowledgeAt = now + ResumeLink.acknowledgementDelay
        }
    }

    // MARK: - Out

    mutating func append(_ bytes: Span<UInt8>) { stream.append(bytes) }

    /// Takes leave once what is to be sent before has been sent.
    mutating func sayFarewell(_ farewell: ResumeSession.Farewell) { self.farewell = farewell }

    /// Bytes of the stream that may be sent on this link now.
    private var sendable: Int {
        switch state {
        case .up: stream.sendable
        case .opening, .greeting:
            // A joiner's numbers begin only with its WELCOME.
            if case .join = entry, !hasBeenWelcome {
                0
            } else {
                !hasBeenWelcome || stream.unsent <= ResumeLink.aheadLimit ? stream.sendable : 0
            }
        case .away, .over: 0
        }
    }

    private func isAcknowledgementDue(_ now: Instant) -> Bool {
        stream.untold >= stream.receiveWindow / 8 || acknowledgeAt.map { $0 <= now } ?? false
    }

    private var isFarewellDue: Bool {
        guard isUp, let farewell else { return false }
        return farewell != .detach || stream.unsent == 0
    }

    /// Whether ``take(into:limit:now:)`` would give something.
    func hasSomethingToSend(_ now: Instant) -> Bool {
        guard isAttached, !hasSaidFarewell else { return false }
        if openingSent < opening.count || sendable > 0 { return true }
        return isUp
            && (pong != nil || isFarewellDue || isAcknowledgementDue(now)
                || heartbeat.isPingDue(now, withData: false))
    }

    /// Puts what is to be sent behind; after BYE, nothing is.
    /// - Parameters:
    ///   - buffer: where it goes.
    ///   - limit: how long the buffer may become, more or less: small frames are not split. There
    ///     may be more to be taken even if it is not reached.
    ///   - now: the time.
    mutating func take(into buffer: inout [UInt8], limit: Int, now: Instant) {
        guard isAttached, !hasSaidFarewell else { return }
        takeOpening(&buffer, limit)
        guard openingSent == opening.count, buffer.count < limit else { return }
        if isUp { takeSmall(&buffer, now) }
        if sendable > 0, limit - buffer.count > NumberedStream.overhead {
            let most = min(limit - buffer.count, NumberedStream.overhead + pace.piece)
            stream.takePiece(into: &buffer, limit: most)
            pace.noteSent(now)
        }
        if isFarewellDue, let farewell {
            buffer.append(frame: LinkFrame.bye, [farewell.rawValue])
            hasSaidFarewell = true
            _ = heartbeat.ask(now)
        }
    }

    private mutating func takeOpening(_ buffer: inout [UInt8], _ limit: Int) {
        let count = min(opening.count - openingSent, limit - buffer.count)
        guard count > 0 else { return }
        buffer += opening[openingSent..<(openingSent + count)]
        openingSent += count
    }

    private mutating func takeSmall(_ buffer: inout [UInt8], _ now: Instant) {
        let withData = sendable > 0
        let isPingDue = heartbeat.isPingDue(now, withData: withData)
        if stream.untold > 0
            && (withData || isPingDue || pong != nil || isAcknowledgementDue(now))
        {
            stream.takeAcknowledgement(into: &buffer)
            acknowledgeAt = nil
        }
        if let number = pong {
            pong = nil
            buffer.append(header: LinkFrame.pong, length: 8)
            buffer.append(wire: number)
        }
        if isPingDue {
            buffer.append(header: LinkFrame.ping, length: 8)
            buffer.append(wire: heartbeat.ask(now))
        }
    }

    // MARK: - Time

    /// Takes in how things stand at the end of a turn.
    mutating func advance(_ now: Instant) {
        heartbeat.noteWaiting(hasSaidFarewell || isUp && sendable > 0, now)
    }

    func liveness(_ now: Instant) -> ResumeSession.Liveness {
        isAttached ? heartbeat.verdict(now) : .dead
    }

    func deadline(_ now: Instant) -> Instant? {
        guard isAttached else { return nil }
        return [acknowledgeAt, heartbeat.deadline(now)].compactMap(\.self).min()
    }

    mutating func excuse(_ now: Instant) { heartbeat.excuse(now) }

    mutating func probe() { heartbeat.probe() }
}
