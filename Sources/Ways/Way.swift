public import Posix

/// A way to a host: it ends in one connected descriptor that carries raw SSH bytes.
///
/// A way lives in the loop and never blocks it, until ``end()``: some carry the connection's bytes
/// (a ProxyCommand). Dropping it gives it up, with whatever it began.
public protocol Way: Source {
    /// Tells how far it is; asked before each turn.
    /// - Returns: done when ``take()`` has the descriptor.
    /// - Throws: ``WayError`` when it leads nowhere.
    func progress() throws(WayError) -> Attempt<Void>

    /// Hands over the connected descriptor, non-blocking, once.
    /// - Returns: nil as long as it is not open, and after it was taken.
    func take() -> Descriptor?

    /// The address at the other end; nil where there is none to be seen.
    var peer: SocketAddress? { get }

    /// Ends what belongs to the connection, when that is over.
    func end()
}

extension Poller {
    /// Waits for a way to open.
    /// - Parameters:
    ///   - way: the way; it stays in the loop when it is open.
    ///   - deadline: when to stop waiting; nil for never.
    /// - Returns: the connected descriptor, nil when the deadline passed first.
    /// - Throws: ``WayError``, and what other sources in the loop throw.
    public func open(_ way: any Way, until deadline: Instant? = nil) throws -> Descriptor? {
        add(way)
        var isOpen = false
        defer { if !isOpen { remove(way) } }
        let step = { () throws -> Attempt<Void> in try way.progress() }
        isOpen = try wait(until: deadline, for: step) != nil
        return isOpen ? way.take() : nil
    }
}
