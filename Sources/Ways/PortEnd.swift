internal import NIOCore
internal import Posix

/// One connection of a session of many: its end on this side.
final class PortEnd: LocalEndUser {
    /// How long a client that has said all it will may wait for an answer.
    private static let answerPatience = Duration.seconds(30)
    /// How long the other side may be silent after an answer, until it is taken to be whole.
    private static let drain = Duration.seconds(1)

    /// Its number in the session, once it has one.
    var stream: UInt32?

    private let local: LocalEnd
    private weak var load: PortLoad?
    /// What the client has sent and the session has not taken.
    private var rest: ArraySlice<UInt8> = []
    /// What has come and the client does not take yet.
    private var held: [ByteBuffer] = []
    private(set) var heldBytes = 0
    private var lastMoved: Instant
    private var hasClientSpokenLast = true
    private var hasEnded = false
    private var isGone = false
    /// Whether the other side has closed it.
    private var isFinished = false

    init(_ local: LocalEnd, _ load: PortLoad) {
        self.local = local
        self.load = load
        lastMoved = readClock()
        local.user = self
    }

    // MARK: - From the client

    /// Takes the next bytes of the client's.
    /// - Returns: none when there are none.
    func take(_ most: Int) -> ArraySlice<UInt8> {
        let piece = rest.prefix(most)
        rest = rest.dropFirst(piece.count)
        return piece
    }

    var hasBytes: Bool { !rest.isEmpty }

    /// Asks the client for more, if it may have some.
    func read() { if rest.isEmpty && !hasEnded { local.read() } }

    /// When the client's end means the end of the connection.
    ///
    /// Neither smux nor the agent knows a half of a connection: a close ends both directions. So the
    /// client that will say no more gets the answer first, if it may still wait for one.
    var closeTime: Instant? {
        guard hasEnded, rest.isEmpty else { return nil }
        if isGone { return lastMoved }
        return lastMoved + (hasClientSpokenLast ? PortEnd.answerPatience : PortEnd.drain)
    }

    func receivedLocal(_ bytes: ByteBuffer) {
        // Nobody takes it any more; bytes left unread would reset what the client still has to read.
        if isFinished { return local.read() }
        rest += bytes.readableBytesView
        lastMoved = readClock()
        hasClientSpokenLast = true
        load?.tunnel?.loadChanged()
    }

    func localEnded() {
        hasEnded = true
        if isFinished && held.isEmpty { local.close() }
        load?.tunnel?.loadChanged()
    }

    func localClosed() {
        hasEnded = true
        isGone = true
        drop()
        load?.endClosed(self)
    }

    // MARK: - To the client

    func deliver(_ bytes: [UInt8]) {
        lastMoved = readClock()
        hasClientSpokenLast = false
        if isGone { return }
        let buffer = ByteBuffer(bytes: bytes)
        if held.isEmpty && local.isWritable { return local.write(buffer) }
        held.append(buffer)
        heldBytes += bytes.count
    }

    func flush() { local.flush() }

    func localWritabilityChanged() {
        guard local.isWritable, !held.isEmpty else { return }
        var written = 0
        while written < held.count, local.isWritable {
            heldBytes -= held[written].readableBytes
            local.write(held[written])
            written += 1
        }
        held.removeFirst(written)
        local.flush()
        if isFinished { leave() }
        load?.endHasRoom()
    }

    /// Nothing more comes from the other side.
    func finish() {
        isFinished = true
        leave()
    }

    /// Tells the client so, once it has all, and waits until it has seen that.
    private func leave() {
        guard held.isEmpty else { return }
        if hasEnded { return local.close() }
        local.finish()
        local.read()
    }

    /// Gives it up, whatever was on its way.
    func close() {
        drop()
        local.close()
    }

    private func drop() {
        held = []
        heldBytes = 0
    }
}
