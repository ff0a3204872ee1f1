import NIOCore
import NIOWebSocket

/// What an endpoint leads to.
enum EndpointScript: Sendable {
    /// It greets, then sends back what comes.
    case echo
    /// It greets, then sends so many bytes of the pattern, in frames of that size, and closes.
    case source(Int, frame: Int)
    /// It closes at once.
    case close(Int, String)
    /// It greets and closes.
    case greetAndClose
    /// It says something in a text.
    case text(String)
    /// It sends bytes that are no frame.
    case garbage([UInt8])
    /// It greets, and then neither speaks nor answers pings.
    case silence
}

/// An endpoint's end of the websocket, with the instance behind it.
final class EndpointPeer: ServerPeer {
    static let greeting = "SSH-2.0-test\r\n"
    private let script: EndpointScript
    private var source = Pattern()

    init(_ script: EndpointScript) { self.script = script }

    override var answersPings: Bool {
        if case .silence = script { false } else { true }
    }

    override func opened() {
        switch script {
        case .echo, .source, .silence: put(.binary, ByteBuffer(string: EndpointPeer.greeting))
        case .close(let code, let reason): close(code, reason)
        case .greetAndClose:
            put(.binary, ByteBuffer(string: EndpointPeer.greeting))
            close(1000, "")
        case .text(let text): put(.text, ByteBuffer(string: text))
        case .garbage(let bytes):
            guard let context else { return }
            let channel = context.channel
            // Past the encoder, as it stands.
            context.eventLoop.execute {
                let encoder = channel.pipeline.context(handlerType: WebSocketFrameEncoder.self)
                encoder.assumeIsolated().whenSuccess { encoder in
                    encoder.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
                }
            }
        }
        settle()
    }

    override func received(_ bytes: ByteBuffer) {
        guard case .echo = script else { return }
        put(.binary, bytes)
    }

    override func settle() {
        guard let context else { return }
        if case .source(let count, let size) = script {
            while context.channel.isWritable, source.offset < count {
                let piece = source.next(min(size, count - source.offset))
                put(.binary, ByteBuffer(bytes: piece))
                source.skip(piece.count)
                context.flush()
                if source.offset == count { close(1000, "") }
            }
        }
        context.flush()
        try? context.channel.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
    }
}
