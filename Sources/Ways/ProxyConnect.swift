internal import AWS
internal import Faults
internal import JSONText
internal import NIOCore

/// Asks a proxy for a connection (RFC 9110 §9.3.6, CONNECT), and leaves the pipeline to who comes
/// after.
final class ProxyConnect: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of a proxy's answer.
    private static let answerLimit = 16 << 10

    private let host: String
    private let login: Proxies.Login?
    private let timing: WebSocketTiming
    private let done: EventLoopPromise<Void>
    private var answer: [UInt8] = []
    private var isDone = false

    init(
        _ host: String,
        _ login: Proxies.Login?,
        _ timing: WebSocketTiming,
        _ done: EventLoopPromise<Void>
    ) {
        self.host = host
        self.login = login
        self.timing = timing
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) {
        var request = "CONNECT \(host) HTTP/1.1\r\nHost: \(host)\r\n"
        if let login {
            let text = base64Encoded(Array("\(login.user):\(login.password)".utf8))
            request += "Proxy-Authorization: Basic \(text)\r\n"
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request + "\r\n")), promise: nil)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timing.upgrading.amount) {
            handler.value.finish(.proxy("no answer in time"))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDone { return }
        answer += unwrapInboundIn(data).readableBytesView
        let end = Array("\r\n\r\n".utf8)
        guard answer.count <= ProxyConnect.answerLimit else {
            return finish(.proxy("its answer has no end"))
        }
        guard answer.count >= end.count, let range = answer.firstRange(of: end) else { return }
        let line = answer.prefix { $0 != 0x0d }
        let words = line.split(separator: 0x20, maxSplits: 2)
        guard words.count >= 2, words[0].starts(with: Array("HTTP/1.".utf8)) else {
            return finish(.proxy("it speaks no HTTP"))
        }
        guard words[1].first == UInt8(ascii: "2") else {
            return finish(.proxy(visible(line.dropFirst(9).prefix(200))))
        }
        // Nobody speaks before we do.
        guard range.upperBound == answer.count else {
            return finish(.proxy("it says more than it should"))
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        finish(nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.proxy("it closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(WebSocketError(breaking: error))
    }

    private func finish(_ error: WebSocketError?) {
        if isDone { return }
        isDone = true
        if let error { done.fail(error) } else { done.succeed() }
    }
}
