/// One stream of L2: how much may go each way, and which ends it has seen.
struct StreamFlow {
    /// A window may not grow beyond this, as in RFC 4254 §5.2.
    private static let mostCredit = 1 << 31

    /// Bytes that the peer takes.
    private(set) var credit: Int
    /// Bytes that the peer may still send.
    private(set) var allowance: Int
    /// Bytes put down that the peer has not been told of.
    private(set) var owed = 0
    /// What the peer was given at first.
    private var window: Int

    /// Whether both sides agreed to it.
    var isOpen: Bool
    var hasSentEOF = false
    var hasReceivedEOF = false
    var hasSentClose = false

    init(credit: Int, window: Int, isOpen: Bool) {
        self.credit = credit
        self.window = window
        self.isOpen = isOpen
        allowance = window
    }

    mutating func spend(_ count: Int) { credit -= count }

    /// The peer takes more.
    mutating func raise(_ count: UInt32) throws(ResumeError) {
        guard credit + Int(count) <= StreamFlow.mostCredit else {
            throw .malformed("a window beyond 2^31")
        }
        credit += Int(count)
    }

    /// Bytes came.
    mutating func receive(_ count: Int) throws(ResumeError) {
        guard isOpen, !hasReceivedEOF else {
            throw .malformed("data for a stream that is not open")
        }
        guard count <= allowance else { throw .malformed("more data than the stream's window") }
        allowance -= count
    }

    /// Bytes were put down.
    mutating func putDown(_ count: Int) { owed += min(count, window - allowance - owed) }

    /// Whether the peer should be told now, not only in passing.
    ///
    /// Often enough that it never waits, and seldom enough that it has not much else to do.
    var isOwedMuch: Bool { owed >= max(window / 16, 16_384) }

    /// Takes what the peer is to be told.
    mutating func takeOwed() -> Int {
        defer {
            allowance += owed
            owed = 0
        }
        return owed
    }

    /// The window turned out to be another one, before anything was received.
    mutating func setWindow(_ window: Int, credit: Int) {
        self.window = window
        allowance = window
        self.credit = credit
    }
}
