internal import Faults
public import Posix

/// Something of AWS's that carries bytes beside the loop, and what it tells of itself.
public class Tunnel: Source {
    enum State {
        case opening
        case open
        case failed(WayError)
    }

    private let trace: Trace
    private let farewell: Duration
    private let mailbox: Mailbox<TunnelEvent>?
    private(set) var state = State.opening
    private var slot: PollSet.Slot?

    /// Whom it does its work for; nil when it never began.
    let control: TunnelControl?

    /// Called when the agent could not connect for one of the connections.
    public var onRefused: () -> Void = {}
    /// What broke the tunnel after it was open; nil as long as nothing has.
    public private(set) var broken: WayError?
    /// Whether it has come to its end, for whatever reason.
    public private(set) var isFinished = false

    /// Begins.
    /// - Parameters:
    ///   - mailbox: what it tells.
    ///   - trace: told each step.
    ///   - farewell: how long ``end()`` waits at most.
    ///   - work: does what it is there for, until the end.
    init(
        _ mailbox: Mailbox<TunnelEvent>,
        trace: Trace,
        farewell: Duration,
        _ work: @escaping @Sendable (TunnelControl) async -> Void
    ) {
        self.trace = trace
        self.farewell = farewell
        self.mailbox = mailbox
        let control = TunnelControl(mailbox)
        self.control = control
        Task(executorPreference: TunnelExecutor.shared) {
            await work(control)
            control.tell(.finished)
        }
    }

    /// Says that there will be none.
    init(_ error: WayError, trace: Trace) {
        self.trace = trace
        farewell = .zero
        mailbox = nil
        control = nil
        state = .failed(error)
        isFinished = true
    }

    deinit { control?.stop() }

    /// Tells how far it is.
    /// - Returns: done when it is open.
    /// - Throws: ``WayError`` with the step that failed, and its remedy.
    public func progress() throws(WayError) -> Attempt<Void> {
        listen()
        switch state {
        case .opening: return .again
        case .open: return .done(())
        case .failed(let error): throw error
        }
    }

    /// Begins to end the tunnel and what AWS keeps for it.
    public func stop() { control?.stop() }

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
            case .refused: onRefused()
            case .failed(let error):
                trace.debug(.debug1, error.layer, error.summary)
                if case .opening = state { state = .failed(error) } else { broken = error }
            case .finished: isFinished = true
            }
        }
    }
}
