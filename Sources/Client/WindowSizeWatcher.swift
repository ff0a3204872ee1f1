internal import Posix
internal import SSH
internal import Terminal

/// Tells the remote side when the terminal's size changes (RFC 4254 §6.7).
final class WindowSizeWatcher: Source {
    let deadline: Instant? = nil
    private let channel: any Channel
    private let terminal: Int32
    private let signals: Signals

    /// Begins to catch SIGWINCH.
    init(channel: any Channel, terminal: Int32, signals: Signals) {
        self.channel = channel
        self.terminal = terminal
        self.signals = signals
        signals.catchSignal(.windowChange)
    }

    func watch(_ set: inout PollSet) {}

    func ready(_ set: PollSet, now: Instant) throws {
        if signals.take(.windowChange) || signals.take(.resume) { update() }
    }

    /// Sends the size as it is now; also wanted after a stop, when the signal may have been missed.
    func update() {
        guard let size = WindowSize.of(terminal) else { return }
        channel.changeWindow(columns: Int(size.columns), rows: Int(size.rows))
    }
}
