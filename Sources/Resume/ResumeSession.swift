/// A session that outlives its connections, seen from the client.
///
/// Order of use: ``init(_:start:roundTrip:now:)`` ▶ for each link: ``attach(_:now:)``, then
/// ``receive(_:into:now:)`` for what comes, ``take(into:limit:now:)`` for what goes, until
/// ``lose(channelEnded:now:)`` ▶ the last event.
///
/// At the end of each turn of its loop the owner calls ``advance(now:)``, writes what
/// ``take(into:limit:now:)`` gives while ``hasSomethingToSend(_:)``, and looks at ``liveness(_:)``;
/// it wakes at ``deadline(_:)``.
///
/// Data is told as places in the bytes that were handed over: the owner puts it down, or keeps what
/// its sink does not take (never more than the window), and says so with ``notePutDown(_:of:)``.
/// It is lost to another client only after that.
public struct ResumeSession {
    /// A point in time of the owner's clock.
    public typealias Instant = ContinuousClock.Instant

    /// What carries bytes to the remote half.
    public enum Carrier: Sendable {
        /// An exec request for ``Bootstrap/command``.
        case exec
        /// A `direct-streamlocal@openssh.com` channel to ``Attachment/socketPath``.
        case socket
    }

    /// Connections to listeners that are open at a time.
    static let offerLimit = 1024
    /// What a forwarded connection may have in our hands.
    static let forwardWindow = 1 << 20
    /// Answers and requests that the other side does not take, beyond the window.
    private static let smallLimit = 1 << 20
    /// The stream of the process itself.
    static let main: UInt32 = 0

    /// The session's name.
    public let identity: Identity

    var link: ResumeLink
    var scanner = FrameScanner(StreamFrame.shapeFromRemote)
    var main: StreamFlow
    /// Forwarded connections.
    var streams: [UInt32: StreamFlow] = [:]
    var nextStream: UInt32 = 2
    var nextListener: UInt32 = 1
    var highestOffer: UInt32 = 0
    var offers = 0
    private(set) var hasExited = false
    private var size: (Size, redraws: Bool)?
    private var creditAt: Instant?
    /// Input that was taken before anything was known of the remote half.
    private var early: [UInt8] = []
    private let isJoining: Bool

    /// A session of one's own.
    /// - Parameters:
    ///   - identity: new and random.
    ///   - start: what it is for.
    ///   - roundTrip: how long the server takes for an answer, as far as that is known.
    ///   - now: the time.
    public init(_ identity: Identity, start: Start, roundTrip: Duration? = nil, now: Instant) {
        self.init(identity, .start(start), window: start.window, roundTrip: roundTrip, now: now)
    }

    /// A session that another client has begun.
    /// - Parameters:
    ///   - listing: as the host told it.
    ///   - roundTrip: how long the server takes for an answer, as far as that is known.
    ///   - now: the time.
    public init(joining listing: ResumeListing, roundTrip: Duration? = nil, now: Instant) {
        let window = ResumeSession.mostWindow
        self.init(listing.identity, .join, window: window, roundTrip: roundTrip, now: now)
    }

    /// The largest window there is.
    static let mostWindow = 64 << 20

    private init(
        _ identity: Identity,
        _ entry: ResumeLink.Entry,
        window: Int,
        roundTrip: Duration?,
        now: Instant
    ) {
        let window = max(NumberedStream.leastWindow, min(window, ResumeSession.mostWindow))
        self.identity = identity
        link = ResumeLink(identity, entry, window: window, roundTrip: roundTrip, now: now)
        if case .join = entry { isJoining = true } else { isJoining = false }
        // A joiner is told how much input is taken; before its welcome, nobody else is either.
        let credit = isJoining ? 0 : NumberedStream.leastWindow
        main = StreamFlow(credit: credit, window: window, isOpen: true)
    }

    // MARK: - Links

    /// A link is open; it replaces the one before, of which nothing more is to be handed over.
    /// - Parameters:
    ///   - carrier: what it is.
    ///   - now: the time.
    public mutating func attach(_ carrier: Carrier, now: Instant) {
        link.attach(body: carrier == .exec ? Bootstrap.body : nil, now: now)
    }

    /// The link is gone.
    /// - Parameters:
    ///   - channelEnded: whether the server ended the channel itself (EOF and CLOSE came), rather
    ///     than that the connection broke or was given up.
    ///   - now: the time.
    public mutating func lose(channelEnded: Bool, now: Instant) {
        link.lose(channelEnded: channelEnded, now: now)
    }

    /// Whether a link is there, answered or not.
    public var isAttached: Bool { link.isAttached }

    /// Whether a link is there and answered.
    public var isUp: Bool { link.isUp }

    /// Whether the session is over for this client, so that no link is of use any more.
    public var isOver: Bool { link.isOver }

    /// What is known about the command having been started.
    public var started: Started { link.started }

    /// The input that was taken, for a plain session in place of this one.
    ///
    /// Of use while ``started`` is ``Started/no``.
    public var inputToTakeBack: [UInt8] { early }

    /// The smoothed time that the remote half takes for an answer.
    public var roundTrip: Duration? { link.roundTrip }

    /// Whether the link can be relied on; ``Liveness/dead`` when there is none.
    public func liveness(_ now: Instant) -> Liveness { link.liveness(now) }

    /// How many times as long as otherwise the other side may be silent; for links from then on.
    ///
    /// More than 1 for a way that mends itself, which needs a moment for it.
    public var forbearance: Int {
        get { link.forbearance }
        set { link.forbearance = max(1, newValue) }
    }

    /// Asks for a sign of life at once: addresses or routes have changed, or a key was pressed.
    public mutating func probe() { link.probe() }

    /// This process was stopped or asleep, so that silence so far says nothing.
    public mutating func excuse(now: Instant) { link.excuse(now) }

    /// When to call ``advance(now:)`` even if nothing happens.
    public func deadline(_ now: Instant) -> Instant? {
        guard isUp else { return link.deadline(now) }
        return [creditAt, link.deadline(now)].compactMap(\.self).min()
    }

    /// Takes in how things stand, at the end of a turn of the loop.
    public mutating func advance(now: Instant) {
        link.advance(now)
        if let creditAt, creditAt <= now { tellAllPutDown() }
    }

    // MARK: - Out

    /// Whether ``take(into:limit:now:)`` would give something.
    public func hasSomethingToSend(_ now: Instant) -> Bool {
        link.hasSomethingToSend(now) || size != nil && isUp
    }

    /// Takes bytes for the link, as many as should be written at a time; they count as sent.
    /// - Parameters:
    ///   - buffer: where they are put, behind what is there.
    ///   - limit: how long it may become; small frames may exceed it by 100 bytes.
    ///   - now: the time.
    public mutating func take(into buffer: inout [UInt8], limit: Int, now: Instant) {
        if isUp { putSize() }
        link.take(into: &buffer, limit: limit, now: now)
    }

    /// Bytes taken from the owner that the remote half has not taken, on a link or not.
    public var backlog: Int { link.stream.backlog.count }

    /// Puts a frame into the numbered stream.
    mutating func put(_ frame: [UInt8]) {
        putSize()
        link.append(frame.span)
    }

    /// The size goes before whatever comes after it.
    private mutating func putSize() {
        guard let (size, redraws) = size else { return }
        self.size = nil
        link.append(StreamFrame.make(size: size, redraws: redraws).span)
    }

    /// Bytes of input that ``send(_:on:)`` takes now.
    /// - Parameter stream: 0 for the process, else a forwarded connection.
    /// - Returns: how many; 0 behind ``end(_:)`` too.
    public func room(on stream: UInt32 = 0) -> Int {
        guard let flow = flow(stream), flow.isOpen, !flow.hasSentEOF, !flow.hasSentClose else {
            return 0
        }
        return max(0, min(flow.credit, link.stream.receiveWindow - backlog))
    }

    /// Takes bytes for the process or for a forwarded connection.
    /// - Parameters:
    ///   - bytes: any number.
    ///   - stream: 0 for the process, else a forwarded connection.
    /// - Returns: how many were taken, from the first; the others are to be offered again.
    public mutating func send(_ bytes: Span<UInt8>, on stream: UInt32 = 0) -> Int {
        let count = min(bytes.count, room(on: stream))
        var start = 0
        while start < count {
            let length = min(count - start, StreamFrame.dataLimit)
            var header: [UInt8] = []
            header.append(header: StreamFrame.data, length: 4 + length)
            header.append(wire: stream)
            put(header)
            link.append(bytes.extracting(start..<(start + length)))
            start += length
        }
        update(stream) { $0.spend(count) }
        if stream == ResumeSession.main, !link.hasBeenWelcome {
            for index in 0..<count { early.append(bytes[index]) }
        }
        return count
    }

    /// Nothing more is sent: to the process (end of its standard input), or on a connection.
    public mutating func end(_ stream: UInt32 = 0) {
        guard let flow = flow(stream), flow.isOpen, !flow.hasSentEOF, !flow.hasSentClose else {
            return
        }
        update(stream) { $0.hasSentEOF = true }
        put(StreamFrame.make(StreamFrame.eof, stream))
    }

    /// Bytes were put down for good: written to where they belong.
    /// - Parameters:
    ///   - count: how many.
    ///   - stream: 0 for the process's output and error output, else a forwarded connection.
    ///   - now: the time.
    public mutating func notePutDown(_ count: Int, of stream: UInt32 = 0, now: Instant) {
        update(stream) { $0.putDown(count) }
        guard let flow = flow(stream), flow.owed > 0 else { return }
        if flow.isOwedMuch {
            tellPutDown(stream)
        } else if creditAt == nil {
            creditAt = now + .milliseconds(200)
        }
    }

    private mutating func tellPutDown(_ stream: UInt32) {
        var owed = 0
        update(stream) { owed = $0.takeOwed() }
        if owed > 0 { put(StreamFrame.make(StreamFrame.window, stream, UInt32(owed))) }
    }

    private mutating func tellAllPutDown() {
        creditAt = nil
        tellPutDown(ResumeSession.main)
        for stream in streams.keys { tellPutDown(stream) }
    }

    // MARK: - The process

    /// The terminal has another size.
    /// - Parameters:
    ///   - size: the new one.
    ///   - redraws: whether the programs are to draw themselves anew, as for a new terminal.
    public mutating func resize(_ size: Size, redraws: Bool = false) {
        // Only the last one counts when several wait for a link.
        self.size = (size, redraws || self.size?.redraws ?? false)
    }

    /// Sends a signal to the process's group.
    /// - Parameter name: without `SIG`, such as `INT` (RFC 4254 §6.9).
    public mutating func signal(_ name: String) { put(StreamFrame.make(signal: name)) }

    /// Sends a break on the terminal (RFC 4335).
    public mutating func sendBreak(_ milliseconds: UInt32) {
        put(StreamFrame.make(StreamFrame.sendBreak, milliseconds))
    }

    /// Nobody reads the output any more: the process gets SIGPIPE at its next write.
    public mutating func stopOutput() {
        guard !main.hasSentClose, !main.hasReceivedEOF else { return }
        main.hasSentClose = true
        put(StreamFrame.make(close: ResumeSession.main, isReset: false))
    }

    /// Takes leave; ``Event/farewell`` follows, or the link's end.
    ///
    /// Input waits for a link to be sent before ``Farewell/detach``, and is dropped otherwise.
    public mutating func leave(_ farewell: Farewell) {
        tellAllPutDown()
        link.sayFarewell(farewell)
    }

    // MARK: - In

    /// Takes what came over the link.
    /// - Parameters:
    ///   - bytes: any piece of it; places in events are places in this.
    ///   - events: where what it means is put, in order, behind what is there.
    ///   - now: the time.
    /// - Throws: ``ResumeError`` when the link is of no use any more, after the events before that;
    ///   another link may be, unless ``isOver``.
    public mutating func receive(
        _ bytes: Span<UInt8>,
        into events: inout [Event],
        now: Instant
    ) throws(ResumeError) {
        var position = 0
        while let arrival = try link.next(in: bytes, &position, now: now) {
            switch arrival {
            case .welcome(let attachment): events.append(welcome(attachment))
            case .refusal(let refusal): events.append(.refused(refusal))
            case .notice(let notice): events.append(.notice(notice))
            case .bye(let reason): events.append(reason == 4 ? .superseded : .ending)
            case .byeOK: events.append(.farewell)
            case .data(let place):
                try read(bytes, place, &events)
                link.noteConsumed(now)
            }
        }
        if backlog > link.stream.receiveWindow + ResumeSession.smallLimit { throw .flooded }
    }

    private mutating func welcome(_ attachment: Attachment) -> Event {
        guard attachment.isFirst else { return .attached(attachment) }
        let window = link.stream.receiveWindow
        let sent = NumberedStream.leastWindow - main.credit
        main.setWindow(window, credit: isJoining ? 0 : window - sent)
        if attachment.inputHasEnded { main.hasSentEOF = true }
        early = []
        return .attached(attachment)
    }

    private mutating func read(
        _ bytes: Span<UInt8>,
        _ place: Range<Int>,
        _ events: inout [Event]
    ) throws(ResumeError) {
        var position = place.lowerBound
        do throws(ResumeError) {
            while let piece = try scanner.next(in: bytes, &position, end: place.upperBound) {
                if let event = try take(piece) { events.append(event) }
            }
        } catch {
            // What is in the stream comes the same over any other link.
            link.giveUp()
            throw error
        }
    }

    mutating func noteExited() throws(ResumeError) {
        if hasExited { throw .malformed("a second exit") }
        hasExited = true
    }

    // MARK: - Streams

    func flow(_ stream: UInt32) -> StreamFlow? {
        stream == ResumeSession.main ? main : streams[stream]
    }

    mutating func update(_ stream: UInt32, _ change: (inout StreamFlow) -> Void) {
        if stream == ResumeSession.main {
            change(&main)
        } else if var flow = streams[stream] {
            change(&flow)
            streams[stream] = flow
        }
    }
}
