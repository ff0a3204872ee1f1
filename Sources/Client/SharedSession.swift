internal import Ways

/// One session of Systems Manager for all tries to reach sshd by it: AWS would count a session for
/// each try.
///
/// The first try has one of its own, which the agent ends when nobody listens. Those that follow are
/// connections of a session that carries many.
final class SharedSession {
    private enum State {
        case unused
        case used(PortSession?)
        /// It may not be had.
        case impossible
    }

    private var state = State.unused

    /// Takes note how the way through Systems Manager has ended.
    /// - Parameter outcome: nil when it was not gone, or has led somewhere.
    func note(_ outcome: WayError.Outcome?) {
        switch (state, outcome) {
        case (.unused, .refused?): state = .used(nil)
        case (.used, .denied?), (.used, .serviceFailed?): state = .impossible
        default: break
        }
    }

    /// The session, if the next try is to be one of its connections.
    /// - Parameter make: begins one.
    /// - Returns: nil for a try of its own.
    func session(_ make: () -> PortSession) -> PortSession? {
        guard case .used(let session) = state else { return nil }
        if let session, !session.isFinished { return session }
        let new = make()
        state = .used(new)
        return new
    }

    /// Ends the session without waiting for that.
    func drop() { if case .used = state { state = .used(nil) } }

    /// Ends the session, and waits a moment for that.
    func end() {
        if case .used(let session) = state { session?.end() }
        drop()
    }
}
