internal import Faults
internal import Posix
internal import SSH
internal import Terminal

/// Runs a channel to its end: bytes both ways, signals, and why it ended.
final class SessionLoop {
    /// How the work ended.
    enum Ending: Equatable {
        /// The channel was closed after the remote command's status, if the server sent one.
        case closed(status: Int?)
        /// The user ended it with `~.`.
        case disconnected
        /// A signal ended this process's work.
        case killed(Signal)
    }

    /// Called for what an escape sequence asks, except disconnecting.
    var onEscape: (EscapeAction) throws -> Void = { _ in }

    private let session: any ChannelCarrier
    private let channel: any Channel
    private let poller: Poller
    private let relay: Relay
    private let trace: Trace
    private var ending: Ending?
    /// When the first bytes were dropped because nobody reads our output any more.
    private var readerGoneSince: Instant?
    private var isCuttingOff = false
    private let roundTrip: Duration

    /// Signals that end the run; those ignored at our start stay ignored, as nohup(1) expects.
    static let endingSignals: [Signal] = [.hangup, .interrupt, .quit, .terminate]

    /// Puts a relay over the channel into the loop.
    /// - Parameters:
    ///   - session: the connection that carries the channel.
    ///   - channel: an open channel.
    ///   - relay: what carries its bytes.
    ///   - roundTrip: how long the server took for an answer.
    ///   - poller: the loop.
    ///   - trace: the run's trace.
    init(
        session: any ChannelCarrier,
        channel: any Channel,
        relay: Relay,
        roundTrip: Duration,
        poller: Poller,
        trace: Trace
    ) {
        self.session = session
        self.channel = channel
        self.relay = relay
        self.roundTrip = roundTrip
        self.poller = poller
        self.trace = trace
    }

    /// Goes on until the channel has ended, the user or a signal ends it, or the link breaks.
    /// - Throws: the session's fault when the link breaks, ``ServerSilent``, or an I/O fault.
    func run() throws -> Ending {
        relay.onEscape = { [unowned self] action in
            if case .disconnect = action {
                ending = .disconnected
                session.giveUp()
            } else {
                try onEscape(action)
            }
        }
        relay.onDroppedOutput = { [unowned self] in noteDroppedOutput() }
        poller.add(relay)
        defer { poller.remove(relay) }
        for signal in SessionLoop.endingSignals {
            poller.signals.catchSignal(signal, unlessIgnored: true)
        }
        while true {
            // A session that ends closes its channels too; with a status the work was done before.
            if let failure = session.failure, channel.exitStatus == nil { throw failure }
            if relay.isFinished { return .closed(status: channel.exitStatus) }
            if let failure = session.failure { throw failure }
            try poller.turn()
            if let ending { return ending }
            if isCuttingOff, case .done = channel.close() {
                return .closed(status: channel.exitStatus)
            }
            for signal in SessionLoop.endingSignals where poller.signals.take(signal) {
                return .killed(signal)
            }
        }
    }

    /// Goes on for the connections forwarded meanwhile, once the session itself has ended.
    /// - Parameter channels: what lives on the connection.
    /// - Returns: the signal that put an end to it, if one did.
    /// - Throws: what a source in the loop throws.
    func linger(for channels: ChannelList) throws -> Signal? {
        while channels.keepsConnection, session.failure == nil {
            try poller.turn()
            for signal in SessionLoop.endingSignals where poller.signals.take(signal) {
                return signal
            }
        }
        return nil
    }

    /// Ends a remote command that goes on writing for a reader who has gone.
    ///
    /// OpenSSH tells the server at once that it reads no more (`eow@openssh.com`), which libssh
    /// cannot; the command then gets SIGPIPE at its next write. So what was on its way when the
    /// reader went is let by, and a command that writes after that is cut off.
    private func noteDroppedOutput() {
        guard let since = readerGoneSince else {
            readerGoneSince = poller.now
            return
        }
        if poller.now - since > max(roundTrip * 4, .milliseconds(100)) { isCuttingOff = true }
    }
}
