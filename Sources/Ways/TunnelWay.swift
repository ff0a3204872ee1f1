internal import Faults
public import Posix

/// A way through AWS: the connection's bytes go over a websocket, which lives beside the loop.
///
/// It is open when the first bytes have come from the instance: servers of SSH speak first, and
/// before that nobody knows whether there is one.
public class TunnelWay: Way {
    private enum State {
        case opening
        case open
        case failed(WayError)
    }

    private let trace: Trace
    private let farewell: Duration
    private let control: TunnelControl?
    private let mailbox: Mailbox<TunnelEvent>?
    private var state = State.opening
    private var socket: Descriptor?
    private var slot: PollSet.Slot?
    private var isFinished = false

    /// What broke the tunnel after it was open; nil as long as nothing has.
    public private(set) var broken: WayError?

    /// The instance's own address is not seen.
    public var peer: SocketAddress? { nil }

    /// Begins.
    /// - Parameters:
    ///   - trace: told each step.
    ///   - farewell: how long ``end()`` waits at most.
    ///   - work: carries bytes between a socket that it owns from now on and the instance.
    init(
        trace: Trace,
        farewell: Duration,
        _ work: @escaping @Sendable (Int32, TunnelControl) async -> Void
    ) {
        self.trace = trace
        self.farewell = farewell
        do throws(SystemError) {
            let pair = try makeSocketPair()
            let mailbox = try Mailbox<TunnelEvent>()
            let near = try pair.near.duplicate()
            try setNonBlocking(near.number)
            let far = try pair.far.duplicate().release()
            let control = TunnelControl(mailbox)
            self.mailbox = mailbox
            self.control = control
            socket = consume near
            Task(executorPreference: TunnelExecutor.shared) {
                await work(far, control)
                control.tell(.finished)
            }
        } catch {
            mailbox = nil
            control = nil
            state = .failed(WayError(local: error))
        }
    }

    deinit { control?.stop() }

    /// Tells how far it is.
    /// - Returns: done when the instance has spoken.
    /// - Throws: ``WayError`` with the step that failed, and its remedy.
    public func progress() throws(WayError) -> Attempt<Void> {
        listen()
        switch state {
        case .opening: return .again
        case .open: return .done(())
        case .failed(let error): throw error
        }
    }

    /// Hands over the connection, once.
    /// - Returns: a non-blocking socket; nil as long as the instance has not spoken, and after it
    ///   was taken.
    public func take() -> Descriptor? {
        guard case .open = state else { return nil }
        return socket.take()
    }

    /// Ends the tunnel and what AWS keeps for it, and waits a moment for that.
    public func end() {
        guard let control, let mailbox, !isFinished else { return }
        control.stop()
        let deadline = readClock() + farewell
        while !isFinished, readClock() < deadline {
            _ = try? waitFor(mailbox.number, .read, until: deadline)
            listen()
        }
    }

    /// Readable when the tunnel has told something.
    var notices: Int32? { mailbox?.number }

    // MARK: - Source

    /// Waits for the tunnel to tell something.
    public func watch(_ set: inout PollSet) {
        slot = mailbox.map { set.watch($0.number, .read) }
    }

    /// The tunnel keeps its own time.
    public var deadline: Instant? { nil }

    /// Takes what the tunnel tells.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) {
        if !set[slot].isEmpty { listen() }
    }

    private func listen() {
        for event in mailbox?.take() ?? [] {
            switch event {
            case .said(let level, let layer, let text): trace.debug(level, layer, text)
            case .opened: if case .opening = state { state = .open }
            case .failed(let error):
                trace.debug(.debug1, error.layer, error.summary)
                if case .opening = state { state = .failed(error) } else { broken = error }
            case .finished: isFinished = true
            }
        }
    }
}
