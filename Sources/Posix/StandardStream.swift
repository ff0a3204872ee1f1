internal import Glibc

/// One of the process's standard descriptors, or one of another process that was passed to us, read
/// or written without ever blocking the loop and without changing anything for the processes we
/// share it with.
///
/// O_NONBLOCK belongs to the open file description, which a parent shell or the other side of a
/// pipeline has too. So a pipe or terminal is opened a second time, as a description of our own
/// (`/proc/self/fd/N`); a socket is asked for single non-blocking transfers; files and `/dev/null`
/// never block for long. Where a second opening is refused (somebody else's terminal after `su`),
/// poll is asked before each transfer, which is then kept small.
public final class StandardStream {
    /// How a stream is used.
    public enum Direction: Sendable {
        /// Standard input.
        case input
        /// Standard output and standard error.
        case output
    }

    enum Manner: Equatable {
        /// Plain transfers: a non-blocking description of our own, regular files, `/dev/null`.
        case plain
        /// recv and send with MSG_DONTWAIT.
        case socket
        /// Transfers of at most ``pieceSize`` bytes, each after poll.
        case careful
        /// Not open, or given away.
        case closed
    }

    /// What a pipe that poll calls writable takes without blocking: PIPE_BUF (limits.h).
    static let pieceSize = 4096

    /// The process's own number of the stream: 0, 1 or 2, or what a passed one had at first.
    public let original: Int32
    /// What it is: a pipe, a terminal (character device), a file.
    public let kind: FileFacts.Kind
    /// Whether it is a terminal.
    public let isTerminal: Bool
    private(set) var manner: Manner
    private(set) var own: Descriptor?
    private let isPassed: Bool

    /// Prepares a stream; one that is not open is at its end from the beginning.
    /// - Parameters:
    ///   - original: 0, 1 or 2.
    ///   - direction: how it is used.
    ///   - reopens: false for where a second opening is known to be refused.
    public convenience init(_ original: Int32, _ direction: Direction, reopens: Bool = true) {
        self.init(original, direction, reopens: reopens, isPassed: false)
    }

    /// Takes a descriptor that another process has passed to us; it is closed with the stream.
    /// - Parameters:
    ///   - passed: an open descriptor.
    ///   - direction: how it is used.
    public convenience init(passed: consuming Descriptor, _ direction: Direction) {
        self.init(passed.number, direction, reopens: true, isPassed: true)
        // Of a description of our own, one descriptor is enough.
        if own == nil { own = consume passed }
    }

    private init(_ original: Int32, _ direction: Direction, reopens: Bool, isPassed: Bool) {
        self.original = original
        self.isPassed = isPassed
        isTerminal = Posix.isTerminal(original)
        let facts = try? fileFacts(of: original)
        kind = facts?.kind ?? .other
        manner =
            switch facts?.kind {
            case nil: .closed
            case .pipe, .other: .careful
            case .socket: .socket
            default: isTerminal ? .careful : .plain
            }
        if let facts, reopens, kind == .pipe || isTerminal {
            own = reopen(original, direction, facts)
            if own != nil { manner = .plain }
        }
    }

    /// The descriptor to poll; nil when the stream is closed.
    public var number: Int32? {
        if manner == .closed { return nil }
        return switch own {
        case .some(let own): own.number
        case .none: original
        }
    }

    /// Reads what is there.
    ///
    /// C: `read`, `recv(MSG_DONTWAIT)`.
    /// - Parameter buffer: where the bytes go.
    /// - Returns: the bytes read, 0 at the end; ``Attempt/again`` when nothing is there now.
    /// - Throws: ``SystemError``; EIO when the terminal is gone.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int>
    {
        guard let number else { return .done(0) }
        switch manner {
        case .socket:
            return try attempt("recv") {
                unsafe recv(number, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            }
        case .careful where try waitFor(number, .read, until: readClock()).isEmpty:
            return .again
        default:
            return unsafe try Posix.read(number, into: buffer)
        }
    }

    /// Writes what is taken now.
    ///
    /// C: `write`, `send(MSG_DONTWAIT)`.
    /// - Parameter bytes: what to write.
    /// - Returns: the bytes taken; ``Attempt/again`` when none is taken now.
    /// - Throws: ``SystemError``; EPIPE when there is no reader or the stream is closed.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        guard let number else { throw SystemError("write", code: EPIPE) }
        switch manner {
        case .socket:
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            return try attempt("send") {
                unsafe send(number, bytes.baseAddress, bytes.count, flags)
            }
        case .careful:
            if try waitFor(number, .write, until: readClock()).isEmpty { return .again }
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.pieceSize))
            return unsafe try Posix.write(number, piece)
        default:
            return unsafe try Posix.write(number, bytes)
        }
    }

    /// Gives the stream away, so that a reader sees its end and a writer that nobody reads.
    ///
    /// A number of the process's own stays open on `/dev/null`, lest something else gets it.
    ///
    /// C: `dup2`.
    public func close() {
        if manner == .closed { return }
        manner = .closed
        own = nil
        if !isPassed { redirectToNull(original) }
    }
}

/// Opens what is behind a descriptor a second time.
/// - Returns: nil when that is refused, or gives another file (a terminal of another mount).
private func reopen(
    _ number: Int32,
    _ direction: StandardStream.Direction,
    _ facts: FileFacts
) -> Descriptor? {
    let access = direction == .input ? O_RDONLY : O_WRONLY
    let mode = OpenMode(flags: access | O_NONBLOCK)
    guard let own = try? openFile("/proc/self/fd/\(number)", mode),
        let reached = try? fileFacts(of: own.number), reached.identity == facts.identity
    else { return nil }
    return own
}
