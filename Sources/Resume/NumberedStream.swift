/// Both directions of the byte stream that links carry, with what each side knows of the other.
///
/// ```
///  ours    consumed ≤ received by peer ≤ next ≤ sent ever ≤ end     next: to be sent on this link
///  theirs  told ≤ consumed ≤ received                               told: what ACK said last
/// ```
///
/// *Received* decides where replay begins, *consumed* frees the backlog and moves the window.
struct NumberedStream {
    /// Bytes of the stream in one DATA frame at most.
    static let pieceLimit = Pace.most
    /// The smallest window there is; as much may be sent before the window is known.
    static let leastWindow = 65_536

    /// Bytes that the peer takes beyond what it has consumed.
    private(set) var sendWindow = NumberedStream.leastWindow
    /// Bytes we take beyond what we have consumed.
    private(set) var receiveWindow: Int

    private(set) var backlog = Backlog()
    private var receivedByPeer: UInt64 = 0
    private var next: UInt64 = 0
    private var sentEver: UInt64 = 0

    private(set) var received: UInt64 = 0
    private(set) var consumed: UInt64 = 0
    private var told: UInt64 = 0

    init(receiveWindow: Int) { self.receiveWindow = receiveWindow }

    // MARK: - Links

    /// A link begins: sending goes on from what the peer is known to have.
    mutating func beginLink() {
        next = receivedByPeer
        told = consumed
    }

    /// The window is known.
    mutating func setWindow(_ window: Int) {
        sendWindow = window
        receiveWindow = window
    }

    // MARK: - Ours

    /// Whether nothing is kept for the peer.
    var isIdle: Bool { backlog.count == 0 }

    /// Bytes that are under way on this link, as far as is known.
    var underWay: Int { Int(next - receivedByPeer) }

    /// Bytes that were never sent on this link, whatever the window says.
    var unsent: Int { Int(backlog.end - next) }

    /// Bytes that may be sent now.
    var sendable: Int {
        let limit = backlog.base + UInt64(sendWindow)
        return Int(max(min(backlog.end, limit), next) - next)
    }

    mutating func append(_ bytes: Span<UInt8>) { backlog.append(bytes) }

    /// Puts one DATA frame behind.
    /// - Parameters:
    ///   - buffer: what is sent.
    ///   - limit: the frame's length at most, more than ``overhead``.
    mutating func takePiece(into buffer: inout [UInt8], limit: Int) {
        let count = min(sendable, NumberedStream.pieceLimit, limit - NumberedStream.overhead)
        guard count > 0 else { return }
        buffer.append(header: LinkFrame.data, length: 8 + count)
        buffer.append(wire: next)
        backlog.copy(from: next, count, into: &buffer)
        next += UInt64(count)
        sentEver = max(sentEver, next)
    }

    /// What a DATA frame has around its bytes.
    static let overhead = 12

    /// The peer says what it has.
    mutating func note(received: UInt64, consumed: UInt64) throws(ResumeError) {
        guard consumed <= received, received <= sentEver else {
            throw .inconsistent("it acknowledges \(received), \(consumed) of \(sentEver) bytes")
        }
        receivedByPeer = max(receivedByPeer, received)
        next = max(next, receivedByPeer)
        backlog.free(below: consumed)
    }

    /// Whether an acknowledgement is behind one that came before.
    func isBehind(_ received: UInt64) -> Bool { received < receivedByPeer }

    // MARK: - Theirs

    /// Takes in where a piece of theirs belongs.
    /// - Returns: how many bytes at its front came before.
    mutating func accept(_ offset: UInt64, _ count: Int) throws(ResumeError) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, offset <= received else {
            throw .inconsistent("bytes from \(offset) on came after \(received)")
        }
        guard end <= consumed + UInt64(receiveWindow) else {
            throw .inconsistent("more bytes came than the window allows")
        }
        let known = Int(min(received - offset, UInt64(count)))
        received = max(received, end)
        return known
    }

    /// The layer above has taken all that came.
    mutating func consumeAll() { consumed = received }

    /// Bytes consumed that the peer does not know of.
    var untold: Int { Int(consumed - told) }

    /// Puts an ACK frame behind.
    mutating func takeAcknowledgement(into buffer: inout [UInt8]) {
        buffer.append(header: LinkFrame.acknowledgement, length: 16)
        buffer.append(wire: received)
        buffer.append(wire: consumed)
        told = consumed
    }
}
