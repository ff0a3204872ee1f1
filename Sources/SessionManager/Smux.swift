/// Many connections in one stream, as the agent's library carries them: smux, version 1.
///
/// ```
/// 0  u8   version    1
/// 1  u8   command    0 open, 1 close, 2 data, 3 nothing
/// 2  u16  length     of what follows; little-endian
/// 4  u32  stream     little-endian; a client's are odd, from 3 on
/// 8       bytes
/// ```
///
/// Nobody confirms that a connection stands: one that cannot be made is closed by the other side.
/// A close ends both directions, and there is no window for a connection of its own.
///
/// Source: github.com/xtaci/smux, `frame.go` and `session.go`.
public struct Smux: Sendable {
    /// What came.
    public enum Event: Equatable, Sendable {
        /// Bytes of a connection, in order.
        case data(stream: UInt32, [UInt8])
        /// The other side has closed a connection.
        case closed(stream: UInt32)
    }

    /// What is wrong with bytes that should be smux.
    public enum Malformed: Error, Equatable {
        /// Another version than 1.
        case version(UInt8)
        /// A command nobody knows.
        case command(UInt8)
    }

    /// A point in time of the owner's clock.
    public typealias Instant = ContinuousClock.Instant

    /// Bytes of data in a frame; the library takes no more.
    public static let longest = 32_768
    /// How often something has to come for an agent that wants that.
    static let interval = Duration.seconds(10)
    private static let version: UInt8 = 1

    private enum Command: UInt8 {
        case open = 0
        case close = 1
        case data = 2
        case nothing = 3
    }

    private var header: [UInt8] = []
    /// The frame whose bytes are coming, and how many are left.
    private var current: (command: Command, stream: UInt32, left: Int)?
    private var next: UInt32? = 3
    private var streams: Set<UInt32> = []
    private var nextKeepalive: Instant?

    /// Begins.
    /// - Parameters:
    ///   - keepsAlive: whether something is sent every 10 seconds (``AgentVersion/needsKeepalive``).
    ///   - now: the time.
    public init(keepsAlive: Bool, now: Instant) {
        nextKeepalive = keepsAlive ? now + Smux.interval : nil
    }

    // MARK: - Out

    /// Opens a connection.
    /// - Returns: its number and what is to be sent; nil when all numbers were used.
    public mutating func open() -> (stream: UInt32, bytes: [UInt8])? {
        guard let stream = next else { return nil }
        let (following, overflow) = stream.addingReportingOverflow(2)
        next = overflow ? nil : following
        streams.insert(stream)
        return (stream, frame(.open, stream))
    }

    /// Puts bytes of a connection into a frame.
    /// - Parameters:
    ///   - bytes: ``longest`` at most.
    ///   - stream: the connection.
    /// - Returns: what is to be sent; nothing for a connection that is closed.
    public func send(_ bytes: ArraySlice<UInt8>, on stream: UInt32) -> [UInt8] {
        precondition(bytes.count <= Smux.longest, "a frame has an end")
        return streams.contains(stream) ? frame(.data, stream, bytes) : []
    }

    /// Closes a connection; nothing of it is handed on any more.
    /// - Parameter stream: the connection.
    /// - Returns: what is to be sent; nothing for one that is closed.
    public mutating func close(_ stream: UInt32) -> [UInt8] {
        streams.remove(stream) == nil ? [] : frame(.close, stream)
    }

    /// When ``advance(now:)`` is to be called.
    public var deadline: Instant? { nextKeepalive }

    /// Sends a sign of life when one is due.
    /// - Parameter now: the time.
    /// - Returns: what is to be sent.
    public mutating func advance(now: Instant) -> [UInt8] {
        guard let due = nextKeepalive, now >= due else { return [] }
        nextKeepalive = now + Smux.interval
        return frame(.nothing, 0)
    }

    private func frame(
        _ command: Command,
        _ stream: UInt32,
        _ bytes: ArraySlice<UInt8> = []
    ) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: bytes.count)
        let numbers = (0..<4).map { UInt8(truncatingIfNeeded: stream >> (8 * $0)) }
        return [
            Smux.version, command.rawValue, UInt8(truncatingIfNeeded: length),
            UInt8(truncatingIfNeeded: length >> 8),
        ] + numbers + bytes
    }

    // MARK: - In

    /// Takes bytes of the stream, cut anywhere.
    /// - Parameter bytes: any number.
    /// - Returns: what came, in order; nothing of connections that are closed here.
    /// - Throws: ``Malformed``; the stream should be given up.
    public mutating func receive(_ bytes: [UInt8]) throws(Malformed) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let (command, stream, left) = current else {
                let count = min(8 - header.count, rest.count)
                header += rest.prefix(count)
                rest = rest.dropFirst(count)
                if header.count == 8 { events += try begin() }
                continue
            }
            let piece = rest.prefix(left)
            rest = rest.dropFirst(piece.count)
            current = piece.count == left ? nil : (command, stream, left - piece.count)
            if command == .data, streams.contains(stream) {
                events.append(.data(stream: stream, Array(piece)))
            }
        }
        return events
    }

    /// Reads a whole header.
    private mutating func begin() throws(Malformed) -> [Event] {
        defer { header = [] }
        guard header[0] == Smux.version else { throw .version(header[0]) }
        guard let command = Command(rawValue: header[1]) else { throw .command(header[1]) }
        let length = Int(header[2]) | Int(header[3]) << 8
        let stream = header[4...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if length > 0 { current = (command, stream, length) }
        guard command == .close, streams.remove(stream) != nil else { return [] }
        return [.closed(stream: stream)]
    }
}
