internal import Faults
internal import NIOCore
internal import NIOWebSocket

/// Who uses a websocket; all of it is called on the loop.
protocol WebSocketUser: AnyObject {
    /// It is open.
    func opened(_ socket: WebSocket)
    /// A binary message came; texts are errors, told as such by ``received(text:)``.
    func received(_ message: ByteBuffer)
    /// A text message came.
    func received(text: String)
    /// All that had come is handed over.
    func receivedAll()
    /// More may be sent, or not.
    func writabilityChanged()
    /// It is over; said once.
    func ended(_ error: WebSocketError)
}

/// How long a websocket waits for what.
struct WebSocketTiming: Sendable {
    /// Until there is a connection.
    var connecting = Duration.seconds(10)
    /// From the connection until the server agrees.
    var upgrading = Duration.seconds(15)
    /// Between pings: proxies and NATs forget a connection after 60 s of silence.
    var pinging = Duration.seconds(25)
    /// Pings without an answer, after which nobody is there.
    var missedPings = 2
    /// From our closing to the end of the connection.
    var closing = Duration.seconds(2)
}

/// An open websocket (RFC 6455), the client's end: messages, pings, and its close.
final class WebSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Bytes of a frame, and of a message of several frames.
    static let messageLimit = 1 << 20
    /// RFC 6455 §5.2: two bytes, eight of a length, four of a mask.
    private static let longestHeader = 14

    private let user: any WebSocketUser
    private let timing: WebSocketTiming
    private var context: ChannelHandlerContext?
    private var fragments: (opcode: WebSocketOpcode, bytes: ByteBuffer)?
    private var unanswered = 0
    private var isHeld = false
    private var isClosing = false
    private var hasEnded = false

    init(_ user: any WebSocketUser, _ timing: WebSocketTiming) {
        self.user = user
        self.timing = timing
    }

    // MARK: - Out

    /// Whether more should be sent now.
    var isWritable: Bool { !isClosing && context?.channel.isWritable == true }

    /// Puts a message out; ``flush()`` sends it.
    func send(_ message: ByteBuffer) {
        write(.binary, size: message.readableBytes) { $0.writeImmutableBuffer(message) }
    }

    /// Puts a message out; ``flush()`` sends it.
    func send(_ message: [UInt8]) {
        write(.binary, size: message.count) { $0.writeBytes(message) }
    }

    /// Puts a text out; ``flush()`` sends it.
    func send(text: String) { write(.text, size: text.utf8.count) { $0.writeString(text) } }

    func flush() { context?.flush() }

    /// Says that nothing more is sent, and gives the other side a while to say so too.
    func close() {
        guard !isClosing, let context else { return }
        sendClose(.normalClosure)
        let socket = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timing.closing.amount) {
            socket.value.context?.close(promise: nil)
        }
    }

    /// Stops or goes on taking what comes.
    func hold(_ isHeld: Bool) {
        guard isHeld != self.isHeld, let context else { return }
        self.isHeld = isHeld
        unanswered = 0
        try? context.channel.syncOptions?.setOption(.autoRead, value: !isHeld)
    }

    private func sendClose(_ code: WebSocketErrorCode) {
        write(.connectionClose, size: 2) { $0.write(webSocketErrorCode: code) }
        isClosing = true
        flush()
    }

    /// Leaves room in front of the content, so that the frame's header goes with it in one record of
    /// TLS, and masking needs no copy.
    private func write(
        _ opcode: WebSocketOpcode,
        size: Int,
        _ content: (inout ByteBuffer) -> Void
    ) {
        guard let context, !isClosing else { return }
        let room = WebSocket.longestHeader
        var bytes = context.channel.allocator.buffer(capacity: room + size)
        bytes.moveWriterIndex(to: room)
        bytes.moveReaderIndex(to: room)
        content(&bytes)
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: bytes)
        context.write(wrapOutboundOut(frame), promise: nil)
    }

    // MARK: - In

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        schedulePing(context)
        user.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        unanswered = 0
        if frame.rsv1 || frame.rsv2 || frame.rsv3 {
            return fail(context, .malformed("an extension that nobody asked for"))
        }
        switch frame.opcode {
        case .binary, .text:
            if fragments != nil { return fail(context, .malformed("a message within another")) }
            if frame.fin { return take(frame.opcode, frame.unmaskedData) }
            fragments = (frame.opcode, frame.unmaskedData)
        case .continuation:
            guard var message = fragments else {
                return fail(context, .malformed("a message without a beginning"))
            }
            fragments = nil
            if message.bytes.readableBytes + frame.length > WebSocket.messageLimit {
                return fail(context, .malformed("a message that is too long"))
            }
            message.bytes.writeImmutableBuffer(frame.unmaskedData)
            if frame.fin { take(message.opcode, message.bytes) } else { fragments = message }
        case .ping:
            let content = frame.unmaskedData
            write(.pong, size: content.readableBytes) { $0.writeImmutableBuffer(content) }
            flush()
        case .connectionClose:
            var bytes = frame.unmaskedData
            let code = bytes.readInteger(as: UInt16.self).map(Int.init) ?? 1005
            let reason = visible(bytes.readableBytesView.prefix(200))
            if !isClosing { sendClose(.normalClosure) }
            fail(context, .closed(code: code, reason: reason))
        default: break
        }
    }

    private func take(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer) {
        if opcode == .text { return user.received(text: String(buffer: bytes)) }
        user.received(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !hasEnded { user.receivedAll() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { user.writabilityChanged() }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, .lost("the connection was closed"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, WebSocketError(breaking: error))
    }

    private func fail(_ context: ChannelHandlerContext, _ error: WebSocketError) {
        if hasEnded { return }
        hasEnded = true
        isClosing = true
        user.ended(error)
        context.close(promise: nil)
    }

    // MARK: - Pings

    private func schedulePing(_ context: ChannelHandlerContext) {
        let socket = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timing.pinging.amount) { socket.value.ping() }
    }

    private func ping() {
        guard let context, !hasEnded else { return }
        // Who does not read cannot hear an answer.
        if !isHeld {
            if unanswered >= timing.missedPings { return fail(context, .silent) }
            unanswered += 1
        }
        write(.ping, size: 0) { _ in }
        flush()
        schedulePing(context)
    }
}

extension Duration {
    /// As NIO has it.
    var amount: TimeAmount {
        let (seconds, attoseconds) = components
        return .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
