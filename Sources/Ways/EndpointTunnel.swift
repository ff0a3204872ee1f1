internal import NIOCore
internal import Posix

/// Carries bytes between the local end and an endpoint's websocket: what comes from one is put to
/// the other as it is, and nothing is read that cannot be put down.
final class EndpointTunnel: WebSocketUser, LocalEndUser {
    /// Bytes of a frame; endpoints take no more (AWS's own client).
    private static let frameLimit = 65_000
    /// Between looks at a tunnel whose local end has nothing more to say.
    private static let drain = TimeAmount.seconds(1)

    private let local: LocalEnd
    private let isGreeted: () -> Void
    private let ended: EventLoopPromise<WebSocketError?>
    private var socket: WebSocket?
    private var hasBeenGreeted = false
    private var hasLocalEnded = false
    private var hasEnded = false
    private var isQuiet = false

    /// - Parameters:
    ///   - local: the local end.
    ///   - ended: fulfilled when it is over; with nil when this side has closed it.
    ///   - isGreeted: called when the first bytes have come.
    init(
        _ local: LocalEnd,
        ended: EventLoopPromise<WebSocketError?>,
        isGreeted: @escaping () -> Void
    ) {
        self.local = local
        self.ended = ended
        self.isGreeted = isGreeted
        local.user = self
    }

    /// Nobody wants it any more.
    func stop() {
        finish(nil)
        socket?.close()
        local.close()
    }

    // MARK: - The websocket

    func opened(_ socket: WebSocket) {
        if hasEnded { return socket.close() }
        self.socket = socket
        local.read()
    }

    func received(_ message: ByteBuffer) {
        isQuiet = false
        local.write(message)
        if !hasBeenGreeted {
            hasBeenGreeted = true
            isGreeted()
        }
    }

    /// Endpoints say what is wrong in texts.
    func received(text: String) {
        finish(.closed(code: 1000, reason: String(text.prefix(200))))
        socket?.close()
        local.finish()
    }

    func receivedAll() {
        local.flush()
        if !local.isWritable { socket?.hold(true) }
    }

    func writabilityChanged() {
        if socket?.isWritable == true { local.read() }
    }

    func ended(_ error: WebSocketError) {
        local.flush()
        local.finish()
        // Its own end and ours are ordinary ones.
        if case .closed(1000, "") = error, hasBeenGreeted { finish(nil) } else { finish(error) }
        if hasLocalEnded { local.close() }
        socket = nil
    }

    // MARK: - The local end

    func receivedLocal(_ bytes: ByteBuffer) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = min(bytes.readableBytes, EndpointTunnel.frameLimit)
            if let piece = bytes.readSlice(length: count) { socket?.send(piece) }
        }
        socket?.flush()
        if socket?.isWritable == true { local.read() }
    }

    /// A websocket has no half: it stays as long as the instance goes on speaking.
    func localEnded() {
        hasLocalEnded = true
        isQuiet = true
        guard socket != nil else { return local.close() }
        let tunnel = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        TunnelLoop.loop.scheduleTask(in: EndpointTunnel.drain) { tunnel.value.closeIfQuiet() }
    }

    private func closeIfQuiet() {
        if isQuiet { stop() } else { localEnded() }
    }

    func localWritabilityChanged() {
        if local.isWritable { socket?.hold(false) }
    }

    func localClosed() {
        finish(nil)
        socket?.close()
    }

    private func finish(_ error: WebSocketError?) {
        if hasEnded { return }
        hasEnded = true
        ended.succeed(error)
    }
}
