public import Posix

/// Tells what a run is waiting for when that takes long: one line on the terminal that erases itself.
///
/// What is over within a second is never shown. Where standard error is no terminal there are only
/// the changes of state that the caller announces, one line each.
public final class StatusLine: Source {
    /// Where a status is shown.
    public enum Style: Sendable, Equatable {
        /// Nowhere (`-q`).
        case silent
        /// In lines of a log, in scripts.
        case lines
        /// On a terminal with so many columns.
        case terminal(columns: Int)
    }

    /// How long something takes before it is shown.
    public static let patience = Duration.seconds(1)

    private let style: Style
    private let write: (String) -> Void
    private var current: Status?
    private var isShown = false

    private struct Status {
        let text: String
        let began: Instant
        var due: Instant
    }

    /// Makes a status line that shows nothing yet.
    /// - Parameters:
    ///   - style: where it is shown.
    ///   - write: puts text on standard error as it is.
    public init(_ style: Style, write: @escaping (String) -> Void) {
        self.style = style
        self.write = write
    }

    /// Begins a state; the one before is over.
    /// - Parameters:
    ///   - text: what is waited for: lower case, no full stop, no line end.
    ///   - now: the time.
    ///   - isAnnounced: whether scripts get a line for it at once.
    public func show(_ text: String, now: Instant, isAnnounced: Bool = false) {
        if current?.text == text { return }
        clear()
        switch style {
        case .silent: break
        case .lines: if isAnnounced { write("ec2sh: \(text)\n") }
        case .terminal: current = Status(text: text, began: now, due: now + StatusLine.patience)
        }
    }

    /// Tells a change of state that is over as it is told: scripts get a line for it.
    /// - Parameter text: lower case, no full stop, no line end.
    public func announce(_ text: String) {
        clear()
        if style == .lines { write("ec2sh: \(text)\n") }
    }

    /// Ends the state and erases the line; done before anything else is written to the terminal.
    public func clear() {
        current = nil
        erase()
    }

    /// Erases the line for something else on the terminal; it comes back when it is next due.
    public func erase() {
        if isShown { write(StatusLine.eraser) }
        isShown = false
    }

    /// To the line's start, and everything after it is gone (ECMA-48 EL).
    private static let eraser = "\r\u{1b}[K"

    // MARK: - Source

    /// Waits for no descriptor.
    public func watch(_ set: inout PollSet) {}

    /// When the line is next written, once per second.
    public var deadline: Instant? { current?.due }

    /// Writes the line when it is due.
    /// - Parameters:
    ///   - set: not looked at.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) { update(now) }

    /// Writes the line when it is due.
    /// - Parameter now: the time.
    func update(_ now: Instant) {
        guard var status = current, case .terminal(let columns) = style, now >= status.due else {
            return
        }
        let seconds = (now - status.began).components.seconds
        let line = "ec2sh: \(status.text) (\(seconds) s)"
        write(StatusLine.eraser + line.prefix(max(columns - 1, 0)))
        isShown = true
        status.due = status.began + .seconds(seconds + 1)
        current = status
    }
}
