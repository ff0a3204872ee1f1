/// One port forwarding: where it listens and where its connections go.
///
/// LocalForward, RemoteForward, DynamicForward, `-L -R -D`. C: `struct Forward`.
public struct Forward: Sendable, Equatable {
    /// Where connections are taken.
    public enum Listener: Sendable, Equatable {
        /// A TCP port; no host means as GatewayPorts says, port 0 (remote only) lets the server choose.
        case tcp(host: String?, port: Int)
        /// A Unix socket.
        case unix(path: String)
    }

    /// Where they go.
    public enum Destination: Sendable, Equatable {
        /// A TCP port.
        case tcp(host: String, port: Int)
        /// A Unix socket.
        case unix(path: String)
        /// Wherever the SOCKS client says.
        case socks
    }

    /// Where connections are taken.
    public var listener: Listener
    /// Where they go.
    public var destination: Destination

    /// Makes a forwarding.
    /// - Parameters:
    ///   - listener: where connections are taken.
    ///   - destination: where they go.
    public init(listener: Listener, destination: Destination) {
        self.listener = listener
        self.destination = destination
    }
}

/// `-W host:port`: standard input and output are joined to this address by the server.
public struct StdioForward: Sendable, Equatable {
    /// The host as typed; the server resolves it.
    public var host: String
    /// Its TCP port.
    public var port: Int

    /// Makes the target of `-W`.
    /// - Parameters:
    ///   - host: the host.
    ///   - port: its port.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
