internal import AWS
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
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
        switch TLSFault(error) {
        case .closed?:
            self = .lost("the connection was cut")
            return
        case .untrusted(let reason)?:
            self = .untrusted("TLS: \(reason)")
            return
        case nil: break
        }
        switch error {
        case let error as WebSocketError: self = error
        case let error as IOError: self = .lost(SystemError.reason(of: error.errnoCode))
        case let error as NIOWebSocketError: self = .malformed("\(error)")
        case let error as HTTPParserError: self = .malformed("\(error)")
        case is ChannelError: self = .lost("the connection was closed")
        default: self = .lost("\(error)".prefix(200).description)
        }
    }
}
