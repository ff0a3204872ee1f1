internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket
internal import Posix

extension WebSocketError {
    /// What went wrong before there was a connection.
    init(connecting error: any Error) {
        switch error {
        case let error as WebSocketError: self = error
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            self = .unreachable("\(error.host): name not found")
        case let error as NIOConnectionError:
            self.init(connecting: error.connectionErrors.last?.error ?? error)
        case let error as IOError:
            self = .unreachable(SystemError.reason(of: error.errnoCode))
        case ChannelError.connectTimeout: self = .timedOut
        default: self.init(breaking: error)
        }
    }

    /// What broke a connection.
    init(breaking error: any Error) {
        switch error {
        case let error as WebSocketError: self = error
        case let error as IOError: self = .lost(SystemError.reason(of: error.errnoCode))
        case NIOSSLError.uncleanShutdown: self = .lost("the connection was cut")
        case NIOSSLError.handshakeFailed(let error): self = .untrusted("TLS: \(words(error))")
        case let error as NIOSSLError: self = .untrusted("TLS: \(words(error))")
        case is NIOSSLExtraError: self = .untrusted("TLS: the certificate names another host")
        case let error as BoringSSLError: self = .untrusted("TLS: \(words(error))")
        case let error as NIOWebSocketError: self = .malformed("\(error)")
        case let error as HTTPParserError: self = .malformed("\(error)")
        case is ChannelError: self = .lost("the connection was closed")
        default: self = .lost("\(error)".prefix(200).description)
        }
    }
}

/// What a TLS error says: the certificate is what people can do something about.
private func words(_ error: any Error) -> String {
    let text = "\(error)"
    return text.contains("CERTIFICATE_VERIFY_FAILED")
        ? "the server's certificate is not trusted" : String(text.prefix(200))
}
