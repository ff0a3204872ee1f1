internal import Faults
internal import Posix
internal import Resume
internal import SSH

/// The forwarded connections of a login, as streams of a remote half that is there for them alone.
///
///     unused ── first connection, or -N ──▶ starting ── WELCOME ──▶ up ── lost ──▶ unused
///                                              │ no remote half
///                                              ▼
///                                          impossible: the server connects, and they end with it
///
/// It is begun only where one for a session runs already, or for the user's forwards alone (`-N`)
/// where these are not limited: an account that may run one command of its own would run that.
final class ResumedForwards {
    private enum State {
        case unused
        case starting(ResumedChannel, isOpen: Bool)
        case up(ResumedChannel)
        case impossible
    }

    /// The remote half makes a few more at a time; those beyond are the server's.
    private static let mostStreams = 240
    /// Asked for before anything is to be forwarded: whether the account is a limited one.
    private static let anyPort = ForwardPermits.Subject.port(443)

    private unowned let carrier: ResumedCarrier
    private let trace: Trace
    private var state = State.unused
    private var permits = ForwardPermits()
    private var streams: [UInt32: ResumedStream] = [:]
    private var socketPath = ""
    /// Whether there will be no session, and so none to go by.
    private var isAlone = false
    /// Whether it is to begin before there is a connection to forward.
    private var isWanted = false

    /// - Parameters:
    ///   - carrier: the connection that is kept up.
    ///   - trace: the run's trace.
    init(over carrier: ResumedCarrier, trace: Trace) {
        self.carrier = carrier
        self.trace = trace
    }

    // MARK: - The remote half

    /// No session will be asked for: it begins by itself.
    func prepare() {
        isAlone = true
        isWanted = true
        step()
    }

    /// Goes on as far as the server has answered.
    func step() {
        permits.tidy()
        if case .up(let channel) = state, channel.isLost { lose() }
        guard !carrier.isAway else { return }
        if isWanted {
            permits.ask(ResumedForwards.anyPort, over: carrier.session)
            if let isPermitted = permits[ResumedForwards.anyPort] {
                isWanted = false
                if isPermitted, case .unused = state { begin() }
            }
        }
        if case .starting(let channel, let isOpen) = state { goOn(channel, isOpen) }
    }

    private func begin() {
        let channel = carrier.openResumed()
        unsafe channel.onEvent = { [unowned self] event, bytes in unsafe take(event, bytes) }
        state = .starting(channel, isOpen: false)
    }

    private func goOn(_ channel: ResumedChannel, _ isOpen: Bool) {
        do throws(SSHError) {
            if !isOpen {
                guard case .done = try channel.open() else { return }
                state = .starting(channel, isOpen: true)
            }
            guard case .done = try channel.holdForwards() else { return }
            state = channel.isLost ? .impossible : .up(channel)
            let fate = channel.isLost ? "end with their connection" : "outlive their connection"
            trace.debug(.debug1, .link, "forwarded connections \(fate)")
        } catch {
            // A server that lets no further session be; or the connection has ended.
            if case .openRefused = error { state = .impossible }
        }
    }

    /// Another connection is there.
    func noteReplaced() {
        permits = ForwardPermits()
        if case .starting(let channel, _) = state, !channel.isResumable { begin() }
    }

    private func lose() {
        let ended = streams.values
        streams = [:]
        state = .unused
        isWanted = isAlone
        for stream in ended { stream.noteClosed() }
    }

    /// Whether there may be a remote half; nil as long as nobody knows.
    private var mayBegin: Bool? {
        if isAlone { return true }
        let known = carrier.sessions.map(\.hasRemoteHalf)
        return known.contains(true) ? true : known.contains(nil) ? nil : false
    }

    // MARK: - Connections

    /// Whether a connection can be made by the remote half.
    /// - Parameter target: where to.
    /// - Returns: false when the server has to make it; ``Attempt/again`` until that is known.
    /// - Throws: why the connection has ended for good.
    func canOpen(_ target: ForwardTarget) throws(SSHError) -> Attempt<Bool> {
        if let failure = carrier.failure { throw failure }
        if case .impossible = state { return .done(false) }
        if streams.count >= ResumedForwards.mostStreams { return .done(false) }
        if case .tcp(_, let port) = target {
            guard let isPermitted = isPermitted(.port(port)) else { return .again }
            if !isPermitted { return .done(false) }
        }
        switch state {
        case .unused:
            guard let mayBegin else { return .again }
            if !mayBegin { return .done(false) }
            if !carrier.isAway { begin() }
            return .again
        case .starting: return .again
        case .impossible: return .done(false)
        case .up:
            guard case .unix = target else { return .done(true) }
            return isPermitted(.sockets(path: socketPath)).map { .done($0) } ?? .again
        }
    }

    private func isPermitted(_ subject: ForwardPermits.Subject) -> Bool? {
        if !carrier.isAway { permits.ask(subject, over: carrier.session) }
        return permits[subject]
    }

    private var channel: ResumedChannel? {
        if case .up(let channel) = state { channel } else { nil }
    }

    /// Has the remote half make a connection, which it can (``canOpen(_:)``).
    /// - Parameters:
    ///   - stream: what is told of it.
    ///   - target: where to.
    ///   - origin: where it comes from.
    /// - Returns: its number; nil when there is no remote half any more.
    func open(_ stream: ResumedStream, _ target: ForwardTarget, _ origin: ForwardOrigin) -> UInt32?
    {
        guard let channel, channel.session != nil else { return nil }
        let place: ResumeSession.Place =
            switch target {
            case .tcp(let host, let port): .tcp(host: host, port: port)
            case .unix(let path): .unix(path: path)
            }
        let number = channel.session?.open(
            place,
            originator: origin.host,
            originatorPort: origin.port
        )
        if let number { streams[number] = stream }
        channel.flush()
        return number
    }

    /// The server makes a connection; it ends with the one there is now.
    func openPlain(_ target: ForwardTarget, _ origin: ForwardOrigin) -> any Channel {
        carrier.session.openDirect(to: target, from: origin)
    }

    /// Bytes that a stream takes now.
    func room(on number: UInt32) -> Int { channel?.session?.room(on: number) ?? 0 }

    /// Sends on a stream.
    /// - Returns: bytes taken.
    func send(_ bytes: UnsafeRawBufferPointer, on number: UInt32) -> Int {
        let elements = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        let taken = channel?.session?.send(unsafe elements.span, on: number) ?? 0
        channel?.flush()
        return taken
    }

    /// Nothing more is sent on a stream.
    func end(_ number: UInt32) {
        channel?.session?.end(number)
        channel?.flush()
    }

    /// Nothing comes of a stream any more.
    func close(_ number: UInt32) {
        streams[number] = nil
        channel?.session?.close(number)
        channel?.flush()
    }

    /// Bytes of a stream were put down.
    func notePutDown(_ count: Int, of number: UInt32) {
        if count > 0 { channel?.session?.notePutDown(count, of: number, now: readClock()) }
    }

    /// Sends what is owed at once: no event would tell of it.
    func flush() { channel?.flush() }

    // MARK: - In

    private func take(_ event: ResumeSession.Event, _ bytes: UnsafeRawBufferPointer) {
        switch event {
        case .attached(let attachment): socketPath = attachment.socketPath
        case .opened(let number): streams[number]?.noteOpened()
        case .openRefused(let number, let reason, let text):
            streams.removeValue(forKey: number)?.noteRefused(UInt32(reason), text)
        case .data(let number, let place):
            unsafe streams[number]?.deliver(UnsafeRawBufferPointer(rebasing: bytes[place]))
        case .ended(let number): streams[number]?.noteEnded()
        case .closed(let number, _): streams.removeValue(forKey: number)?.noteClosed()
        default: break
        }
    }
}
