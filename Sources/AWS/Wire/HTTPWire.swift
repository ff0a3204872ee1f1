internal import AsyncHTTPClient
internal import Faults
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Posix
internal import Synchronization

/// Carries requests with async-http-client: one thread, started with the first request.
///
/// Nothing is tried again here and no redirect is followed; answers have a bound.
final class HTTPWire: Wire {
    private let access: Access
    /// Clients by the proxy they use; nil for none.
    private let clients = Mutex<[Route: HTTPClient]>([:])

    init(_ access: Access) { self.access = access }

    deinit {
        for client in clients.withLock({ Array($0.values) }) {
            client.shutdown().whenComplete { _ in }
        }
    }

    func send(_ request: WireRequest) async throws(WireError) -> WireResponse {
        let url = request.url
        let proxy =
            request.isProxied
            ? access.proxies.proxy(for: url.host, port: url.port, isSecure: url.isSecure) : nil
        let client = try client(Route(proxy: proxy, connectLimit: request.connectLimit))
        var sent = HTTPClientRequest(
            url: "\(url.scheme)://\(url.authority)\(request.request.target)"
        )
        sent.method = .init(rawValue: request.request.method)
        for header in request.request.headers {
            sent.headers.add(name: header.name, value: header.value)
        }
        sent.headers.add(name: "User-Agent", value: "ec2sh")
        if request.request.method != "GET" { sent.body = .bytes(request.request.body) }
        let complete = sent
        do {
            return try await within(request.limit) {
                let answer = try await client.execute(complete, timeout: .hours(1))
                let body = try await answer.body.collect(upTo: longest)
                // A body that is given up ends as if it were whole.
                try Task.checkCancellation()
                return WireResponse(
                    status: Int(answer.status.code),
                    headers: answer.headers.map { .init($0.name.lowercased(), $0.value) },
                    body: Array(body.readableBytesView)
                )
            }
        } catch {
            throw WireError(error, proxy: proxy)
        }
    }

    private func client(_ route: Route) throws(WireError) -> HTTPClient {
        if let client = clients.withLock({ $0[route] }) { return client }
        let configuration = try configuration(route)
        return clients.withLock { clients in
            if let client = clients[route] { return client }
            let client = HTTPClient(eventLoopGroup: loops, configuration: configuration)
            clients[route] = client
            return client
        }
    }

    private func configuration(_ route: Route) throws(WireError) -> HTTPClient.Configuration {
        var trust = TLSConfiguration.makeClientConfiguration()
        if let path = access.trustedCertificates {
            do throws(SystemError) {
                _ = try fileFacts(path: path)
            } catch {
                let reason = "the file of trusted certificates, \(error.summary)"
                throw WireError(reason: reason, isTransient: false)
            }
            trust.trustRoots = .file(path)
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: trust,
            redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(Int64(route.connectLimit * 1e9)))
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if let proxy = route.proxy {
            let login = proxy.login.map {
                HTTPClient.Authorization.basic(username: $0.user, password: $0.password)
            }
            configuration.proxy = .server(
                host: proxy.host,
                port: proxy.port,
                authorization: login
            )
        }
        return configuration
    }
}

/// Gives up after a time; async-http-client's own limit ends where the body begins.
private func within(
    _ seconds: Double,
    _ work: @escaping @Sendable () async throws -> WireResponse
) async throws -> WireResponse {
    try await withThrowingTaskGroup(of: WireResponse.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw HTTPClientError.deadlineExceeded
        }
        defer { group.cancelAll() }
        guard let response = try await group.next() else { throw CancellationError() }
        return response
    }
}

/// What a client is made for.
private struct Route: Hashable {
    var proxy: Proxies.Proxy?
    var connectLimit: Double
}

/// One thread is enough for what ec2sh asks; it is started when it is first needed.
private let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

/// No answer that we ask for is longer: a page of 1000 instances has about 10 MB.
private let longest = 32 << 20

extension WireError {
    /// - Parameters:
    ///   - error: what async-http-client or SwiftNIO threw.
    ///   - proxy: the proxy in between.
    fileprivate init(_ error: any Error, proxy: Proxies.Proxy?) {
        let (reason, isTransient) = WireError.describe(error)
        let way = proxy.map { " (by the proxy \(visible($0.host.utf8)) port \($0.port))" } ?? ""
        self.init(reason: reason + way, isTransient: isTransient)
    }

    private static func describe(_ error: any Error) -> (reason: String, isTransient: Bool) {
        switch TLSFault(error) {
        case .closed?: return ("the connection was closed", true)
        case .untrusted(let reason)?: return ("TLS: \(visible(reason.utf8))", false)
        case nil: break
        }
        switch error {
        case let error as HTTPClientError:
            let known = clientErrors.first { $0.error == error }
            return known.map { ($0.reason, $0.isTransient) } ?? (error.shortDescription, true)
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return describe(failure.error) }
            return ("no address for \(visible(error.host.utf8))", true)
        case let error as IOError:
            return (SystemError.reason(of: error.errnoCode), true)
        case is NIOTooManyBytesError:
            return ("the answer is longer than \(longest >> 20) MB", false)
        case HTTPParserError.invalidEOFState:
            return ("the connection was closed", true)
        case is HTTPParserError:
            return ("what came is no HTTP", true)
        case is CancellationError:
            return ("given up", false)
        case let error as ChannelError:
            if case .connectTimeout = error { return ("no answer in time", true) }
            return (visible("\(error)".utf8), true)
        default:
            return (visible("\(error)".utf8), true)
        }
    }
}

/// What async-http-client's errors mean to a user.
private let clientErrors: [(error: HTTPClientError, reason: String, isTransient: Bool)] = [
    (.connectTimeout, "no answer in time", true), (.deadlineExceeded, "no answer in time", true),
    (.readTimeout, "no answer in time", true), (.tlsHandshakeTimeout, "no TLS in time", true),
    (.remoteConnectionClosed, "the connection was closed", true),
    (.httpProxyHandshakeTimeout, "no answer in time", true),
    (.proxyAuthenticationRequired, "the proxy wants a name and a password", false),
    (.invalidProxyResponse, "the proxy refused", false), (.cancelled, "given up", false),
]
