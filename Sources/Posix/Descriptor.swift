internal import Glibc

/// Owns one open file descriptor and closes it.
///
/// Not copyable: whoever holds it is the only one who closes it. Code that only uses a descriptor
/// takes its number.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as this value lives.
    public let number: Int32

    /// Takes ownership of an open descriptor.
    /// - Parameter number: an open descriptor that nobody else closes.
    public init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Gives up ownership without closing.
    /// - Returns: the number, which the caller now has to close.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Makes a second descriptor for the same open file, not inherited by children.
    ///
    /// C: `fcntl(F_DUPFD_CLOEXEC)`.
    /// - Throws: ``SystemError`` when there is none left.
    public borrowing func duplicate() throws(SystemError) -> Descriptor {
        try Descriptor.duplicate(number)
    }

    /// Makes a second descriptor for an open file that somebody else owns.
    ///
    /// C: `fcntl(F_DUPFD_CLOEXEC)`.
    /// - Parameter number: an open descriptor.
    /// - Returns: the new descriptor.
    /// - Throws: ``SystemError`` when it is not open or there is none left.
    public static func duplicate(_ number: Int32) throws(SystemError) -> Descriptor {
        Descriptor(owning: try call("dup", "\(number)") { fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }
}

/// Two descriptors that belong together; taken apart by consuming its parts.
@frozen
public struct DescriptorPair: ~Copyable, Sendable {
    /// Our end of a socket pair; the end of a pipe to read from.
    public let near: Descriptor
    /// The other end of a socket pair; the end of a pipe to write to.
    public let far: Descriptor
}

/// A connected pair of stream sockets, both closed on exec.
///
/// C: `socketpair`.
/// - Returns: the two ends; what is written to one is read from the other.
/// - Throws: ``SystemError``.
public func makeSocketPair() throws(SystemError) -> DescriptorPair {
    unsafe try makePair("socketpair") { ends in
        unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, ends)
    }
}

/// A pipe, both ends closed on exec.
///
/// C: `pipe`.
/// - Returns: `near` is read from, `far` is written to.
/// - Throws: ``SystemError``.
public func makePipe() throws(SystemError) -> DescriptorPair {
    let pair = unsafe try makePair("pipe") { ends in unsafe pipe(ends) }
    for number in [pair.near.number, pair.far.number] {
        try call("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
    }
    return pair
}

private func makePair(
    _ name: String,
    _ make: (UnsafeMutablePointer<Int32>?) -> Int32
) throws(SystemError) -> DescriptorPair {
    var ends: [Int32] = [-1, -1]
    try call(name) { unsafe ends.withUnsafeMutableBufferPointer { unsafe make($0.baseAddress) } }
    return DescriptorPair(near: Descriptor(owning: ends[0]), far: Descriptor(owning: ends[1]))
}

/// Sets or clears O_NONBLOCK on the open file behind a descriptor.
///
/// Only for open files that are ours alone: the flag is shared with everyone who has the same one.
///
/// C: `fcntl(F_SETFL)`.
/// - Parameters:
///   - number: an open descriptor.
///   - on: whether reads and writes return EAGAIN in place of waiting.
/// - Throws: ``SystemError``.
public func setNonBlocking(_ number: Int32, _ on: Bool = true) throws(SystemError) {
    let flags = try call("fcntl", "\(number)") { fcntl(number, F_GETFL) }
    let wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
    if wanted != flags { try call("fcntl", "\(number)") { fcntl(number, F_SETFL, wanted) } }
}

/// Tells whether a descriptor is a terminal.
///
/// C: `isatty`.
/// - Parameter number: any number, open or not.
/// - Returns: false for whatever is no terminal.
public func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }
