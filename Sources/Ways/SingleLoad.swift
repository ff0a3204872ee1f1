internal import NIOCore
internal import Posix

/// One connection on this side is all of the session: a way to a server, or a shell.
final class SingleLoad: SessionLoad, LocalEndUser {
    /// Between looks at a session whose local end has nothing more to say.
    private static let drain = TimeAmount.seconds(1)

    weak var tunnel: SessionTunnel?

    private let local: LocalEnd
    /// Whether it is a shell, which ends by itself, and whose terminal has a size.
    private let isShell: Bool
    /// Bytes of the local end that the channel had no room for.
    private var rest: ArraySlice<UInt8> = []
    private var size: (columns: Int, rows: Int)?
    /// Whether bytes may go: a shell's terminal gets its size before anything is typed.
    private var isReady: Bool
    private var isOpen = false
    private var hasLocalEnded = false
    private var isQuiet = false

    init(_ local: LocalEnd, isShell: Bool) {
        self.local = local
        self.isShell = isShell
        isReady = !isShell
        local.user = self
    }

    var hasRoom: Bool { local.isWritable }
    var deadline: Instant? { nil }

    func opened(agentVersion: String) { isOpen = true }

    func deliver(_ bytes: [UInt8]) {
        isQuiet = false
        local.write(ByteBuffer(bytes: bytes))
    }

    /// It is said in the words of the session's end, too.
    func refused() {}

    func flush() { local.flush() }

    func supply(_ now: Instant) {
        guard let tunnel else { return }
        if isOpen, let size = size.take() { tunnel.resize(columns: size.columns, rows: size.rows) }
        if !rest.isEmpty { rest = rest.dropFirst(tunnel.send(rest)) }
        if rest.isEmpty, tunnel.room > 0, isReady, !hasLocalEnded { local.read() }
    }

    func obey(_ order: TunnelOrder) {
        guard case .resize(let columns, let rows) = order else { return }
        isReady = true
        // A terminal without a size leaves the agent's as it is.
        if columns > 0 && rows > 0 { size = (columns, rows) }
        tunnel?.loadChanged()
    }

    func close() { local.close() }

    // MARK: - The local end

    func receivedLocal(_ bytes: ByteBuffer) {
        rest += bytes.readableBytesView
        tunnel?.loadChanged()
    }

    /// A session has no half: it stays as long as the instance goes on speaking.
    func localEnded() {
        hasLocalEnded = true
        isQuiet = true
        if isShell { return }
        let load = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        TunnelLoop.loop.scheduleTask(in: SingleLoad.drain) { load.value.endIfQuiet() }
    }

    private func endIfQuiet() {
        guard let tunnel, !tunnel.isOver else { return }
        if isQuiet && rest.isEmpty && tunnel.isIdle { tunnel.stop() } else { localEnded() }
    }

    func localWritabilityChanged() { if local.isWritable { tunnel?.loadHasRoom() } }

    func localClosed() { tunnel?.endInband() }
}
