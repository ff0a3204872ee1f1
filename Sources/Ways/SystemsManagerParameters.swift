internal import SessionManager

/// What a session of Systems Manager leads to.
public enum SessionTarget: Sendable, Equatable {
    /// The server on a port of the instance, by one connection.
    case server(port: UInt16)
    /// A port of the instance, or of a host that the instance sees, by many connections.
    case port(host: String?, UInt16)
    /// A shell, as the account has it.
    case shell
    /// A command on a terminal.
    case command(String)

    /// What a session of many connections leads to; the instance itself has many names.
    /// - Parameters:
    ///   - host: a name or address as the instance knows it.
    ///   - port: a port.
    /// - Returns: the target.
    public static func connections(to host: String, port: UInt16) -> SessionTarget {
        let own = ["localhost", "127.0.0.1", "::1", ""]
        return .port(host: own.contains(host.lowercased()) ? nil : host, port)
    }
}

/// What a session of Systems Manager needs to know.
public struct SystemsManagerParameters: Sendable {
    /// `i-…`, or `mi-…` for a machine that is not on EC2.
    public var instance: String
    /// What it leads to.
    public var target: SessionTarget
    /// Whether a way is open only when the instance has spoken, as servers of SSH do.
    public var awaitsGreeting = true
    /// How long to wait for what.
    var timing = WebSocketTiming()
    /// From the first websocket until the agent is there.
    var opening = Duration.seconds(30)
    /// How long to try to take a session up again: as long as its data channel is patient.
    var resuming = DataChannel.patience

    /// Describes a session.
    /// - Parameters:
    ///   - instance: the instance's id.
    ///   - target: what it leads to.
    public init(instance: String, _ target: SessionTarget = .server(port: 22)) {
        self.instance = instance
        self.target = target
    }

    /// What it leads to, in messages.
    public var place: String {
        switch target {
        case .server(let port), .port(nil, let port): "\(instance) port \(port)"
        case .port(let host?, let port): "\(instance): \(host) port \(port)"
        case .shell, .command: "\(instance): a shell"
        }
    }
}
