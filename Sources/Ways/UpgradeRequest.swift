internal import Faults
internal import JSONText
internal import NIOCore
internal import NIOHTTP1

/// Asks the server for a websocket, and reads why if it gives none.
///
/// Redirects are not followed: a signature is good for one host.
final class UpgradeRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Bytes of an error's description.
    private static let bodyLimit = 64 << 10

    private let head: HTTPRequestHead
    private let timing: WebSocketTiming
    private let done: EventLoopPromise<Void>
    private var status = 0
    private var body: [UInt8] = []
    private var isDone = false

    init(_ head: HTTPRequestHead, _ timing: WebSocketTiming, _ done: EventLoopPromise<Void>) {
        self.head = head
        self.timing = timing
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard context.channel.isActive else { return fail(.lost("the connection was closed")) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let request = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timing.upgrading.amount) {
            request.value.fail(.timedOut)
        }
    }

    /// The server has agreed.
    func succeed() {
        if isDone { return }
        isDone = true
        done.succeed()
    }

    private func fail(_ error: WebSocketError) {
        if isDone { return }
        isDone = true
        done.fail(error)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            if status == 101 { fail(.malformed("the server agrees to something else")) }
        case .body(let bytes):
            let room = max(UpgradeRequest.bodyLimit - body.count, 0)
            body += bytes.readableBytesView.prefix(room)
        case .end: refuse()
        }
    }

    /// Endpoints explain themselves in JSON: `{"ErrorCode": …, "Message": …}`.
    private func refuse() {
        let json = try? JSON.parse(body)
        let code = json?["ErrorCode"]?.string ?? json?["code"]?.string ?? ""
        let message = json?["Message"]?.string ?? json?["message"]?.string ?? ""
        let seen = { (text: String) in visible(text.utf8.prefix(500)) }
        fail(.refused(status: status, code: seen(code), message: seen(message)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        if status > 0 { refuse() }
        fail(.lost("the connection was closed"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(WebSocketError(breaking: error))
    }
}
