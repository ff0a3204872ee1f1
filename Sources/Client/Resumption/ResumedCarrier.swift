internal import Faults
internal import Posix
internal import Resume
internal import SSH
internal import SSHConfig

/// A connection that is replaced when it breaks, under channels that go on.
///
///     alive ── silent for a while ──▶ suspect: a second login beside the first
///       ▲                                │ answers first      │ stands first
///       ├────────────────────────────────┘                    ▼
///       └── channels attach ◀── a login works ◀── broken: login after login, until the limit
///
/// Sessions resume by ``ResumedChannel``, connections forwarded from here by ``ResumedStream``. Other
/// channels end with the connection they were opened on; listeners on the server are asked for again.
final class ResumedCarrier: ChannelCarrier {
    private(set) var failure: SSHError?
    /// Where the sessions of users are put on record.
    var records: SessionKeeper?
    /// A session on the host that the next channel takes over.
    var joins: ResumeListing?
    var serverChannels = ServerChannels() {
        didSet { connection.session.serverChannels = serverChannels }
    }

    private(set) var connection: Connection
    private let reconnector: Reconnector
    private let context: Context
    private let settings: ResumeSettings
    private let doubts: LinkDoubts
    /// Those that are not over: whoever used one may be gone before the host has heard of its end.
    private var channels: [ResumedChannel] = []
    private(set) lazy var forwards = ResumedForwards(over: self, trace: context.trace)
    /// Whether the user, or a signal, wants it all to end.
    private var isGivenUp = false
    /// Whether the connection is closed already, and no other stands yet.
    private var hasLeft = false
    private var listeners: [Listener] = []
    /// Those that the server has not agreed to again, and when each is asked for next.
    private var awaited: [(listener: Listener, due: Instant)] = []
    private var trafficClass: Int32?
    private var pastTraffic: (sent: UInt64, received: UInt64) = (0, 0)
    private var pastPackets: UInt64 = 0
    /// When the connection was made.
    private var connected = readClock()

    /// A connection that has carried so many bytes, or has lasted so long, was of use: when it breaks
    /// the next one need not wait.
    private static let useful = 100_000
    private static let lasting = Duration.seconds(5)

    private struct Listener: Equatable {
        let host: String
        var port: UInt16
    }

    /// Takes a connection over; it lives in the loop from now on.
    /// - Parameters:
    ///   - connection: a logged-in connection.
    ///   - reconnector: makes others like it.
    ///   - settings: what sessions on it are resumed by.
    ///   - context: what the run shares.
    init(
        _ connection: Connection,
        _ reconnector: Reconnector,
        _ settings: ResumeSettings,
        in context: Context
    ) {
        self.connection = connection
        self.reconnector = reconnector
        self.settings = settings
        self.context = context
        doubts = LinkDoubts(context.poller)
        context.poller.add(self)
        context.poller.chore = { [weak self] in try self?.tend() }
    }

    var session: Session { connection.session }
    /// Whether there is no connection now.
    var isAway: Bool { hasLeft || session.failure != nil }
    /// The processes that run over it.
    var sessions: [ResumedChannel] { channels.filter(\.hasProcess) }
    private var live: [ResumedChannel] { channels.filter(\.isResumable) }

    /// Systems Manager takes its session up again by itself, which takes a moment.
    private var forbearance: Int { reconnector.way == .ssm ? 3 : 1 }

    // MARK: - Source

    var deadline: Instant? {
        let now = context.poller.now
        let due = awaited.map(\.due).filter { $0 > now }.min()
        return channels.reduce(due) { earliest($0, $1.deadline) }
    }

    func watch(_ set: inout PollSet) {}

    func ready(_ set: PollSet, now: Instant) {
        if let reason = doubts.next() { doubt(because: reason, now) }
        for channel in channels { channel.pump(now) }
        channels.removeAll(where: \.isOver)
        if !awaited.isEmpty { listenAgain(now) }
        forwards.step()
    }

    /// The port may be held by what is left of the connection before, until the server notices.
    private func listenAgain(_ now: Instant) {
        awaited = awaited.compactMap { listener, due in
            if due > now { return (listener, due) }
            do throws(SSHError) {
                let answer = try session.listen(host: listener.host, port: listener.port)
                if case .done = answer { return nil }
                return (listener, due)
            } catch {
                context.trace.debug(.debug1, .link, "port \(listener.port): \(error.summary)")
                return (listener, now + ResumedCarrier.listenPause)
            }
        }
    }

    private static let listenPause = Duration.seconds(1)

    // MARK: - Breaks

    private func doubt(because reason: LinkDoubts.Reason, _ now: Instant) {
        let words = reason == .network ? "the network has changed" : "this machine was away"
        context.trace.debug(.debug1, .link, "\(words): asking for a sign of life")
        for channel in live {
            if reason == .absence { channel.excuse(now) } else { channel.probe() }
        }
    }

    /// Looks after the link, between turns of the loop.
    private func tend() throws {
        guard failure == nil, !isGivenUp else { return }
        if let broken = session.failure { return try replace(because: broken) }
        switch liveness {
        case .alive: break
        case .suspect: try standBy()
        case .dead: try replace(because: silence)
        }
    }

    /// What the most doubtful session says: they share one connection.
    private var liveness: ResumeSession.Liveness {
        let now = readClock()
        let verdicts = live.map { $0.liveness(now) }
        return verdicts.contains(.dead) ? .dead : verdicts.contains(.suspect) ? .suspect : .alive
    }

    private var silence: SSHError { .broken(connection.peer, reason: "the server is silent") }

    /// Makes a second connection while the first one is silent; who answers first is kept.
    private func standBy() throws {
        context.trace.debug(.debug1, .link, "no answer; a second connection is begun")
        let next: Connection
        do {
            next = try reconnector.connectOnce { [unowned self] in
                isEnding || session.failure != nil || liveness == .alive
            }
        } catch is Reconnector.Unwanted {
            return
        } catch let refusal as HostKeyRefusal {
            throw refusal
        } catch {
            context.trace.debug(.debug1, .link, "no second connection: \(error)")
            if session.failure == nil, liveness == .alive { return }
            return try replace(because: session.failure ?? silence)
        }
        try adopt(next)
    }

    /// Replaces a connection that is of no use any more.
    private func replace(because reason: SSHError) throws {
        context.trace.debug(.debug1, .link, "\(reason.summary)")
        for channel in channels { channel.linkLost() }
        guard !live.isEmpty else {
            failure = reason
            return
        }
        leave()
        let limit = readClock() + settings.patience
        do {
            try adopt(
                try reconnector.connect(until: limit, doubts) { [unowned self] in
                    isEnding || live.isEmpty
                }
            )
        } catch is Reconnector.Unwanted {
            failure = reason
        } catch let refusal as HostKeyRefusal {
            failure = reason
            throw refusal
        } catch {
            failure = reason
            throw LinkLost(
                host: connection.peer.host,
                sessions: live.filter(\.hasProcess).map(\.name),
                fault: error
            )
        }
    }

    /// Whether something has come that ends the run once the loop's user gets to see it.
    private var isEnding: Bool {
        let signals = context.poller.signals
        return isGivenUp || SessionLoop.endingSignals.contains(where: signals.isPending)
    }

    private func leave() {
        let traffic = session.traffic
        let isOfUse =
            traffic.received + traffic.sent >= ResumedCarrier.useful
            || readClock() - connected >= ResumedCarrier.lasting
        if isOfUse { reconnector.noteUse() }
        hasLeft = true
        pastTraffic = (pastTraffic.sent + traffic.sent, pastTraffic.received + traffic.received)
        pastPackets += session.packetsReceived
        connection.close()
    }

    private func adopt(_ next: Connection) throws {
        if !hasLeft { leave() }
        hasLeft = false
        connection = next
        connected = readClock()
        // As the one before: channels look at what it has brought in the same turn.
        context.poller.move(session, before: self)
        session.serverChannels = serverChannels
        if let trafficClass { session.setTrafficClass(trafficClass) }
        awaited = listeners.map { ($0, connected) }
        listenAgain(connected)
        for channel in live { channel.attach(over: session, forbearance) }
        forwards.noteReplaced()
    }

    // MARK: - ChannelCarrier

    func giveUp() { isGivenUp = true }

    func openSession() -> any Channel { openResumed() }

    /// Makes a channel whose task may be any.
    func openResumed() -> ResumedChannel {
        let channel = ResumedChannel(over: session, settings, trace: context.trace)
        channel.forbearance = forbearance
        channel.records = records
        channel.joins = joins
        joins = nil
        channels.append(channel)
        return channel
    }

    func openForward(to target: ForwardTarget, from origin: ForwardOrigin) -> any Channel {
        ResumedStream(to: target, from: origin, over: forwards)
    }

    func prepareForwards() { forwards.prepare() }

    func openDirectTCP(
        host: String,
        port: UInt16,
        originHost: String,
        originPort: UInt16
    ) -> any Channel {
        session.openDirectTCP(
            host: host,
            port: port,
            originHost: originHost,
            originPort: originPort
        )
    }

    func openDirectUnix(path: String) -> any Channel { session.openDirectUnix(path: path) }

    func listen(host: String, port: UInt16) throws(SSHError) -> Attempt<UInt16> {
        let answer = try session.listen(host: host, port: port)
        if case .done(let bound) = answer {
            let listener = Listener(host: host, port: bound)
            if !listeners.contains(listener) { listeners.append(listener) }
        }
        return answer
    }

    func beginListening(host: String, port: UInt16) {
        session.beginListening(host: host, port: port)
    }

    func cancelListen(host: String, port: UInt16) throws(SSHError) -> Attempt<Bool> {
        listeners.removeAll { $0 == Listener(host: host, port: port) }
        awaited.removeAll { $0.listener == Listener(host: host, port: port) }
        return try session.cancelListen(host: host, port: port)
    }

    var traffic: (sent: UInt64, received: UInt64) {
        if hasLeft { return pastTraffic }
        let traffic = session.traffic
        return (pastTraffic.sent + traffic.sent, pastTraffic.received + traffic.received)
    }

    var packetsReceived: UInt64 { pastPackets + (hasLeft ? 0 : session.packetsReceived) }
    func sendKeepalive() { session.sendKeepalive() }
    func requestRekey() { session.requestRekey() }

    func setTrafficClass(_ value: Int32) {
        trafficClass = value
        session.setTrafficClass(value)
    }

    // MARK: - The end

    /// Ends what is left of the sessions, and the connection.
    func close() {
        context.poller.chore = nil
        for channel in live { channel.hangUp() }
        let limit = readClock() + ResumedCarrier.goodbyeLimit
        _ = try? context.poller.wait(until: limit) { () -> Attempt<Void> in
            let isSaid = live.isEmpty && channels.allSatisfy(\.isFlushed)
            return session.failure != nil || isSaid ? .done(()) : .again
        }
        context.poller.remove(self)
        doubts.end()
        connection.close()
    }

    /// How long the server has to hear that a session is over.
    private static let goodbyeLimit = Duration.seconds(1)
}

/// Says that a connection could not be made again, and what became of the sessions on it.
struct LinkLost: Fault {
    let host: String
    /// The names of the sessions that were left behind.
    let sessions: [String]
    let fault: any Error

    private var inner: (any Fault)? { fault as? any Fault }
    var layer: Layer { inner?.layer ?? .link }
    var summary: String {
        "the connection to \(host) is lost, and no other could be made: "
            + (inner?.summary ?? "\(fault)")
    }
    var hint: Hint? { inner?.hint }
    var cause: (any Error)? { fault }
}
