/// Says why there is no websocket, or none any more.
enum WebSocketError: Error, Equatable {
    /// There is no connection to its server, or to the proxy before it.
    case unreachable(String)
    /// Somebody took too long.
    case timedOut
    /// The proxy does not let us through.
    case proxy(String)
    /// The server is not who it should be, or speaks no TLS that we trust.
    case untrusted(String)
    /// The server answered with something else.
    case refused(status: Int, code: String, message: String)
    /// The server closed it with this code (RFC 6455 §7.4) and these words.
    case closed(code: Int, reason: String)
    /// The connection broke.
    case lost(String)
    /// The server does not answer pings.
    case silent
    /// What came is no websocket.
    case malformed(String)

    /// One line: lower case, no full stop.
    var summary: String {
        switch self {
        case .unreachable(let reason), .lost(let reason), .untrusted(let reason): reason
        case .timedOut: "no answer in time"
        case .proxy(let reason): "proxy: \(reason)"
        case .refused(let status, let code, let message):
            [code.isEmpty ? "HTTP status \(status)" : code, message].filter { !$0.isEmpty }
                .joined(separator: ": ")
        case .closed(let code, let reason):
            reason.isEmpty ? "closed with code \(code)" : "\(reason) (code \(code))"
        case .silent: "the other side does not answer any more"
        case .malformed(let reason): "what comes makes no sense: \(reason)"
        }
    }
}
