import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization

/// A server of websockets, written from RFC 6455 and NIO alone, on a loop of its own.
final class TunnelServer: Sendable {
    /// What it does with a request that is to become a websocket.
    enum Answer: Sendable {
        /// It becomes one.
        case agree
        /// It does not.
        case refuse(status: Int, body: String)
    }

    /// What a server is like.
    struct Manner: Sendable {
        var tls: NIOSSLContext?
        var answer: @Sendable (HTTPRequestHead) -> Answer = { _ in .agree }
    }

    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let heads: Heads

    /// The port it listens on, on this machine alone.
    var port: Int { channel.localAddress?.port ?? 0 }

    init(_ manner: Manner = Manner(), _ make: @escaping @Sendable () -> any ChannelHandler) throws {
        let heads = Heads()
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: 1 << 20,
            shouldUpgrade: { channel, head in
                heads.add(head)
                if case .refuse = manner.answer(head) {
                    return channel.eventLoop.makeSucceededFuture(nil)
                }
                return channel.eventLoop.makeSucceededFuture(HTTPHeaders())
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(make())
                }
            }
        )
        self.heads = heads
        channel = try ServerBootstrap(group: TunnelServer.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls = manner.tls {
                        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    let refusal = Refusal(manner.answer)
                    let bound = NIOLoopBound(refusal, eventLoop: channel.eventLoop)
                    try pipeline.configureHTTPServerPipeline(
                        withServerUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(
                                    bound.value,
                                    promise: nil
                                )
                            }
                        )
                    )
                    try pipeline.addHandler(refusal)
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
    }

    /// The requests for websockets that came.
    var asked: [HTTPRequestHead] { heads.all }

    deinit { channel.close(promise: nil) }
}

private final class Heads: Sendable {
    private let heads = Mutex<[HTTPRequestHead]>([])
    func add(_ head: HTTPRequestHead) { heads.withLock { $0.append(head) } }
    var all: [HTTPRequestHead] { heads.withLock { $0 } }
}

/// Says no in HTTP.
private final class Refusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: @Sendable (HTTPRequestHead) -> TunnelServer.Answer
    private var head: HTTPRequestHead?

    init(_ answer: @escaping @Sendable (HTTPRequestHead) -> TunnelServer.Answer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head, case .refuse(let status, let body) = answer(head) else { return }
            let length = "\(body.utf8.count)"
            let response = HTTPResponseHead(
                version: .http1_1,
                status: .init(statusCode: status),
                headers: HTTPHeaders([("Content-Length", length)])
            )
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(.init(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// The server's end of a websocket: what the peers in tests have in common.
class ServerPeer: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        opened()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary: received(frame.unmaskedData)
        case .text: received(text: String(buffer: frame.unmaskedData))
        case .ping: if answersPings { put(.pong, frame.unmaskedData) }
        case .connectionClose: clientClosed()
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { settle() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { settle() }

    func channelInactive(context: ChannelHandlerContext) { lost() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: - For the peers

    var answersPings: Bool { true }
    func opened() {}
    func received(_ bytes: ByteBuffer) {}
    func received(text: String) {}
    func settle() { context?.flush() }
    func clientClosed() { context?.close(promise: nil) }
    func lost() {}

    func put(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer, fin: Bool = true) {
        guard let context else { return }
        context.write(
            wrapOutboundOut(WebSocketFrame(fin: fin, opcode: opcode, data: bytes)),
            promise: nil
        )
    }

    func close(_ code: Int, _ reason: String) {
        var bytes = ByteBuffer()
        bytes.write(webSocketErrorCode: WebSocketErrorCode(codeNumber: code))
        bytes.writeString(reason)
        put(.connectionClose, bytes)
        context?.flush()
    }
}

/// Servers that go on as long as a test does.
final class Kept {
    var servers: [TunnelServer] = []
}
