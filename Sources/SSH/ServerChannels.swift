/// Who takes the channels that a server opens; what nobody takes is refused.
///
/// A handler looks at the request and answers nil to refuse it, or with what is to be done with
/// the open channel. Both are called while libssh reads: nothing in them may wait. What the
/// channel brings before ``Channel/onData`` is set is kept for it.
public struct ServerChannels {
    /// Answers a request: nil refuses it.
    public typealias Handler = (ServerChannelRequest) -> ((any Channel) -> Void)?

    /// For connections to a port the server listens on for us (RFC 4254 §7.2).
    public var onForwardedTCP: Handler?
    /// For connections to the forwarded agent (`auth-agent@openssh.com`, OpenSSH's PROTOCOL.agent).
    public var onAgent: Handler?
    /// For clients of the forwarded display (RFC 4254 §6.3.2).
    public var onX11: Handler?

    /// Takes nothing.
    public init() {}
}

/// A channel that the server wants to open.
public struct ServerChannelRequest: Sendable, Equatable {
    /// Where a connection was made to on the server's side; nil for agents and displays.
    public struct Listener: Sendable, Equatable {
        /// The address as it was asked for with ``Session/listen(host:port:)``.
        public let host: String
        /// The port the server listens on.
        public let port: UInt16

        /// Makes one of its parts.
        /// - Parameters:
        ///   - host: the address as it was asked for.
        ///   - port: the port the server listens on.
        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// The port the connection came to; nil for agents and displays.
    public let listener: Listener?
    /// Where the connection comes from, as the server says; empty for an agent.
    public let originHost: String
    /// The port it comes from.
    public let originPort: UInt16

    /// Makes a request of its parts.
    /// - Parameters:
    ///   - listener: where a connection was made to; nil for agents and displays.
    ///   - originHost: where it comes from.
    ///   - originPort: the port it comes from.
    public init(listener: Listener?, originHost: String, originPort: UInt16) {
        self.listener = listener
        self.originHost = originHost
        self.originPort = originPort
    }
}
