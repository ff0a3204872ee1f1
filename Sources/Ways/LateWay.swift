public import Posix

/// A way that is known only when something else has been found out.
public final class LateWay: Way {
    /// Finds out, turn by turn.
    public protocol Finder: Source {
        /// - Returns: the way, once it is known.
        /// - Throws: ``WayError`` when there is none.
        func find() throws(WayError) -> (any Way)?
    }

    private enum State {
        case finding(any Finder)
        case found(any Way)
        case failed(WayError)
    }

    private var state: State

    /// Begins to find out.
    /// - Parameter finder: what finds the way.
    public init(_ finder: any Finder) {
        state = .finding(finder)
        find()
    }

    /// The found way's.
    public var peer: SocketAddress? {
        if case .found(let way) = state { way.peer } else { nil }
    }

    /// Tells how far it is.
    /// - Returns: done when the found way is open.
    /// - Throws: ``WayError`` of the finder or of the found way.
    public func progress() throws(WayError) -> Attempt<Void> {
        switch state {
        case .finding: return .again
        case .found(let way): return try way.progress()
        case .failed(let error): throw error
        }
    }

    /// Hands over the found way's descriptor, once.
    /// - Returns: nil as long as it is not open, and after it was taken.
    public func take() -> Descriptor? {
        if case .found(let way) = state { way.take() } else { nil }
    }

    /// Ends what belongs to the connection.
    public func end() {
        if case .found(let way) = state { way.end() }
    }

    // MARK: - Source

    /// Asks for what the finder or the found way waits for.
    public func watch(_ set: inout PollSet) { source?.watch(&set) }

    /// When the finder or the found way wants to be called.
    public var deadline: Instant? { source?.deadline }

    /// Goes on.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    /// - Throws: what ends the run.
    public func ready(_ set: PollSet, now: Instant) throws {
        try source?.ready(set, now: now)
        find()
    }

    private var source: (any Source)? {
        switch state {
        case .finding(let finder): finder
        case .found(let way): way
        case .failed: nil
        }
    }

    private func find() {
        guard case .finding(let finder) = state else { return }
        do throws(WayError) {
            if let way = try finder.find() { state = .found(way) }
        } catch {
            state = .failed(error)
        }
    }
}
