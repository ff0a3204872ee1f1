public import Posix

/// A way to a server by one connection of a session that outlives it: who tries again, tries again
/// in the same session.
public final class PortWay: Way {
    private let session: PortSession
    private var socket: Descriptor?
    private var hasConnected = false

    /// Begins.
    /// - Parameter session: leads to the server's port.
    public init(over session: PortSession) { self.session = session }

    /// The instance's own address is not seen.
    public var peer: SocketAddress? { nil }

    /// Tells how far it is.
    /// - Returns: done when the agent was asked for the connection.
    /// - Throws: ``WayError`` when the session has failed.
    public func progress() throws(WayError) -> Attempt<Void> {
        if let error = session.broken { throw error }
        guard case .done = try session.progress() else { return .again }
        if hasConnected { return .done(()) }
        hasConnected = true
        do throws(SystemError) {
            socket = try session.connect()
        } catch {
            throw WayError(local: error)
        }
        return .done(())
    }

    /// Hands over the connection, once.
    /// - Returns: a non-blocking socket; nil as long as the session has not begun.
    public func take() -> Descriptor? { socket.take() }

    /// The session stays, for the next try.
    public func end() {}

    // MARK: - Source

    /// Waits for the session to tell something.
    public func watch(_ set: inout PollSet) { session.watch(&set) }

    /// The session keeps its own time.
    public var deadline: Instant? { session.deadline }

    /// Takes what the session tells.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) { session.ready(set, now: now) }
}
