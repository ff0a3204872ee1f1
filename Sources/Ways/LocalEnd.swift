internal import NIOCore
internal import NIOPosix
internal import Posix

/// Who carries bytes to and from the local end of a tunnel; all of it is called on the loop.
protocol LocalEndUser: AnyObject {
    /// Bytes came; ``LocalEnd/read()`` asks for more.
    func receivedLocal(_ bytes: ByteBuffer)
    /// No more bytes will come.
    func localEnded()
    /// More may be written, or not.
    func localWritabilityChanged()
    /// Nobody reads any more.
    func localClosed()
}

/// The tunnel's end of the socket pair whose other end carries the connection.
///
/// It reads what it is asked for, and says when enough is written.
final class LocalEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let readSize = 64 << 10

    weak var user: (any LocalEndUser)?
    private var context: ChannelHandlerContext?

    /// Takes over a socket, which is closed with it, or when that fails.
    static func open(_ number: Int32) async throws(WebSocketError) -> NIOLoopBound<LocalEnd> {
        do {
            let end = try await TunnelLoop.make { LocalEnd() }
            _ = try await ClientBootstrap(group: TunnelLoop.loop)
                .channelOption(.autoRead, value: false)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
                .channelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(capacity: readSize)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(end.value)
                    }
                }
                .withConnectedSocket(number)
                .get()
            return end
        } catch {
            throw WebSocketError(breaking: error)
        }
    }

    /// Whether more should be written now.
    var isWritable: Bool { context?.channel.isWritable == true }

    /// Asks for bytes, once.
    func read() { context?.read() }

    /// Puts bytes out; ``flush()`` sends them.
    func write(_ bytes: ByteBuffer) { context?.write(wrapOutboundOut(bytes), promise: nil) }

    func flush() { context?.flush() }

    /// Says that nothing more comes from the other side of the tunnel.
    func finish() { context?.close(mode: .output, promise: nil) }

    /// Closes it, after what was written.
    func close() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        user?.receivedLocal(unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        user?.localWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { user?.localEnded() }
    }

    func channelInactive(context: ChannelHandlerContext) { user?.localClosed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
