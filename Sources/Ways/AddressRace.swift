internal import Posix

/// When which address is tried, so that a dead family costs little (RFC 8305, Happy Eyeballs).
///
/// Addresses are begun one after the other, without giving up those before: each as soon as the one
/// before it has failed, or 250 ms after it was begun.
struct AddressRace {
    /// Connection Attempt Delay (RFC 8305 §5).
    static let stagger = Duration.milliseconds(250)

    private let count: Int
    private var next = 0
    private var due: Instant?

    /// - Parameter count: how many addresses there are.
    init(count: Int) { self.count = count }

    /// Whether all have been begun.
    var isExhausted: Bool { next == count }

    /// When the next address is due; nil when it is due at once or there is none.
    var deadline: Instant? { isExhausted ? nil : due }

    /// - Returns: the index of an address to begin now; nil when none is due.
    mutating func begin(now: Instant) -> Int? {
        if isExhausted { return nil }
        if let due, now < due { return nil }
        defer { next += 1 }
        due = now + AddressRace.stagger
        return next
    }

    /// Makes the next address due at once, because one has failed.
    mutating func hurry() { due = nil }

    /// Begins no more.
    mutating func stop() { next = count }

    /// The order of RFC 8305 §4: families in turn, beginning with that of the system's first choice.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let first = addresses.filter { $0.family == addresses.first?.family }
        let other = addresses.filter { $0.family != addresses.first?.family }
        let pairs = (0..<max(first.count, other.count)).map { index in
            [first, other].compactMap { index < $0.count ? $0[index] : nil }
        }
        return Array(pairs.joined())
    }
}
