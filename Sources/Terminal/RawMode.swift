public import Posix

/// Raw mode of the user's terminal: every key goes to the remote side as it is typed.
///
/// The terminal gets its former modes back on every way out of the process, by a signal or a crash
/// too (``RawTerminal``). O_NONBLOCK is never set on it, for the shell has the same description.
public struct RawMode: Sendable {
    private let number: Int32

    /// Prepares raw mode; nothing changes yet.
    /// - Parameter number: the terminal that is typed on; standard input, as in OpenSSH.
    public init(_ number: Int32 = 0) { self.number = number }

    /// Whether the terminal is raw now.
    public var isActive: Bool { RawTerminal.isRaw }

    /// Makes the terminal raw; nothing happens when it is.
    /// - Throws: `SystemError`, which ssh prints unless `-tt` was given; ENOTTY.
    public func enter() throws(SystemError) { try RawTerminal.enter(number) }

    /// Gives the terminal its former modes back; nothing happens when it has them.
    /// - Throws: `SystemError`, which ssh prints unless `-tt` was given; EIO.
    public func leave() throws(SystemError) { try RawTerminal.leave() }

    /// Stops the process, as `~^Z` does, with the terminal as it was before; returns when it goes on.
    ///
    /// The window may have another size then.
    /// - Throws: `SystemError` of entering raw mode again.
    public func suspend() throws(SystemError) {
        let wasActive = isActive
        try leave()
        suspendProcess()
        if wasActive { try enter() }
    }
}
