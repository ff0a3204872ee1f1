internal import AWS
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket

/// A websocket that is to be opened.
struct WebSocketRequest: Sendable {
    /// The server, by `ws` or `wss`.
    let url: WebURL
    /// What stands in the request line.
    let target: String
    /// Besides Host and what makes it a websocket.
    let headers: [APIRequest.Field]

    /// Opens it: connection, proxy, TLS, upgrade.
    /// - Parameters:
    ///   - access: proxies, and whom to trust.
    ///   - timing: how long to wait for what.
    ///   - user: told when it is open, and all that follows.
    /// - Throws: ``WebSocketError``; the user is then told nothing.
    func open(
        _ access: Access,
        _ timing: WebSocketTiming,
        for user: NIOLoopBound<any WebSocketUser>
    ) async throws(WebSocketError) {
        let proxy = access.proxies.proxy(for: url.host, port: url.port, isSecure: url.isSecure)
        do {
            let tls = url.isSecure ? try TunnelTrust.context(access) : nil
            let channel = try await ClientBootstrap(group: TunnelLoop.loop)
                .connectTimeout(timing.connecting.amount)
                .channelOption(.writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10))
                .connect(host: proxy?.host ?? url.host, port: proxy?.port ?? url.port)
                .get()
            do {
                if let proxy { try await pass(proxy, channel, timing) }
                try await upgrade(channel, tls, timing, user)
            } catch {
                channel.close(promise: nil)
                throw error
            }
        } catch {
            throw WebSocketError(connecting: error)
        }
    }

    private func pass(
        _ proxy: Proxies.Proxy,
        _ channel: any Channel,
        _ timing: WebSocketTiming
    ) async throws {
        let done = channel.eventLoop.makePromise(of: Void.self)
        let name = url.host.contains(":") ? "[\(url.host)]" : url.host
        channel.eventLoop.execute {
            let handler = ProxyConnect("\(name):\(url.port)", proxy.login, timing, done)
            do {
                try channel.pipeline.syncOperations.addHandler(handler)
            } catch {
                done.fail(error)
            }
        }
        try await done.futureResult.get()
    }

    private func upgrade(
        _ channel: any Channel,
        _ tls: NIOSSLContext?,
        _ timing: WebSocketTiming,
        _ user: NIOLoopBound<any WebSocketUser>
    ) async throws {
        let done = channel.eventLoop.makePromise(of: Void.self)
        let head = requestHead
        // An address is no name to ask for; the certificate is held against it all the same.
        let isAddress = (try? SocketAddress(ipAddress: url.host, port: 0)) != nil
        let name = isAddress ? nil : url.host
        channel.eventLoop.execute {
            do {
                let asking = NIOLoopBound(
                    UpgradeRequest(head, timing, done),
                    eventLoop: channel.eventLoop
                )
                let upgrader = NIOWebSocketClientUpgrader(
                    maxFrameSize: WebSocket.messageLimit,
                    automaticErrorHandling: false
                ) { channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        pipeline.removeHandler(asking.value, promise: nil)
                        asking.value.succeed()
                        try pipeline.addHandler(WebSocket(user.value, timing))
                    }
                }
                // All at once, so that whatever TLS says has somebody who hears it.
                let pipeline = channel.pipeline.syncOperations
                if let tls {
                    try pipeline.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: name)
                    )
                }
                try pipeline.addHTTPClientHandlers(
                    leftOverBytesStrategy: .forwardBytes,
                    withClientUpgrade: (upgraders: [upgrader], completionHandler: { _ in })
                )
                try pipeline.addHandler(asking.value)
            } catch {
                done.fail(error)
            }
        }
        try await done.futureResult.get()
    }

    private var requestHead: HTTPRequestHead {
        var fields = HTTPHeaders([("Host", url.authority), ("User-Agent", "ec2sh")])
        for header in headers { fields.add(name: header.name, value: header.value) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: fields)
    }
}
