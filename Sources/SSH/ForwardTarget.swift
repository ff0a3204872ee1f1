/// Where a forwarded connection leads to, as the server sees it.
public enum ForwardTarget: Sendable, Equatable {
    /// A name or address that the server resolves, and a port, 1 to 65535.
    case tcp(host: String, port: UInt16)
    /// A Unix socket's path.
    case unix(path: String)
}

/// Where a forwarded connection comes from, for the server's log.
public struct ForwardOrigin: Sendable, Equatable {
    /// Its address.
    public let host: String
    /// Its port.
    public let port: UInt16

    /// Makes one of its parts.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// What OpenSSH says of a connection that has no address.
    public static let unknown = ForwardOrigin(host: "127.0.0.1", port: 65535)
}

extension ChannelCarrier {
    /// Makes a channel of the connection itself: it ends with it.
    /// - Parameters:
    ///   - target: where to.
    ///   - origin: where the forwarded connection comes from.
    /// - Returns: the channel, not open yet.
    public func openDirect(to target: ForwardTarget, from origin: ForwardOrigin) -> any Channel {
        switch target {
        case .tcp(let host, let port):
            openDirectTCP(
                host: host,
                port: port,
                originHost: origin.host,
                originPort: origin.port
            )
        case .unix(let path): openDirectUnix(path: path)
        }
    }

    /// A connection that is not kept up has channels of its own only.
    public func openForward(to target: ForwardTarget, from origin: ForwardOrigin) -> any Channel {
        openDirect(to: target, from: origin)
    }

    /// A connection that is not kept up has nothing to prepare.
    public func prepareForwards() {}
}
