public import Faults
internal import Posix

/// Says why a way leads nowhere.
public struct WayError: Fault {
    /// The kinds of failure that lead to different next steps.
    public enum Outcome: Sendable, Equatable {
        /// There is no such name.
        case nameNotFound
        /// The name cannot be looked up for the moment.
        case nameUnavailable
        /// Somebody answered, and nobody listens there.
        case refused
        /// Nobody answered in time.
        case timedOut
        /// There is no way through the network.
        case unreachable
        /// The connection was closed before the server said who it is.
        case closed
        /// The proxy command gave no connection.
        case proxyFailed
        /// Something on this machine is missing or wrong.
        case local
        /// The instance does not run; AWS's word for what it does.
        case notRunning(state: String)
        /// AWS has no such way to this instance.
        case notOffered
        /// AWS does not let us take this way.
        case denied
        /// AWS, or what it leads us to, did not do its part.
        case serviceFailed
    }

    /// What kind of failure it is.
    public let outcome: Outcome
    /// The step that failed.
    public let layer: Layer
    /// OpenSSH's words without `ssh: `.
    public let summary: String
    /// The lines that ssh prints.
    public let words: [String]?
    /// What the user can do about it.
    public let hint: Hint?
    /// The error below.
    public let cause: (any Error)?
    /// The other ways that were tried, and how each ended.
    public internal(set) var others: [WayRace.Loss] = []

    init(_ error: NameError) {
        hint = nil
        outcome = error.isNotFound ? .nameNotFound : .nameUnavailable
        layer = .name
        summary = error.summary
        words = error.words
        cause = error
    }

    init(
        _ outcome: Outcome,
        _ layer: Layer,
        _ summary: String,
        hint: Hint? = nil,
        cause: (any Error)? = nil
    ) {
        self.outcome = outcome
        self.layer = layer
        self.summary = summary
        self.hint = hint
        self.cause = cause
        words = nil
    }

    /// For `ProxyCommand=-`, which ssh takes for the connection on its own standard streams.
    static var standardStreams: WayError {
        WayError(
            .proxyFailed,
            .configuration,
            "ProxyCommand=- (a connection on standard input and output) is not supported"
        )
    }

    /// Without a cause no connection was even tried, which ssh calls "failure".
    init(host: String, port: UInt16, _ cause: SystemError?) {
        outcome = Outcome(connecting: cause)
        layer = .network
        summary = "connect to host \(host) port \(port): \(cause?.reason ?? "failure")"
        words = ["ssh: \(summary)"]
        hint = nil
        self.cause = cause
    }

    init(proxy words: [String], _ cause: SystemError? = nil) {
        outcome = .proxyFailed
        layer = .network
        summary = words.last ?? "proxy command failed"
        self.words = words
        hint = nil
        self.cause = cause
    }

    /// - Parameters:
    ///   - peer: the address at the other end, where it is known.
    ///   - cause: nil for an ordinary end.
    init(closedBy peer: SocketAddress?, _ cause: SystemError?) {
        hint = nil
        outcome = .closed
        layer = .transport
        summary = "the connection was closed before the server said who it is"
        let reason = cause?.reason ?? "Connection closed by remote host"
        let address = peer.map { "\($0.host) port \($0.port)" } ?? "UNKNOWN port 65535"
        let verb = cause == nil ? "closed" : "reset"
        words = ["kex_exchange_identification: \(reason)", "Connection \(verb) by \(address)"]
        self.cause = cause
    }

    /// - Parameter cause: what came in the place of a descriptor.
    init(passing cause: SystemError) {
        let seen =
            switch cause.kind {
            case .disconnected: "recvmsg: expected received 1 got 0"
            case .malformed: "no message header"
            default: "recvmsg: \(cause.reason)"
            }
        self.init(
            proxy: ["mm_receive_fd: \(seen)", "proxy dialer did not pass back a connection"],
            cause
        )
    }

    init(local cause: SystemError) {
        outcome = .local
        layer = .local
        summary = cause.summary
        words = nil
        hint = nil
        self.cause = cause
    }
}

extension WayError.Outcome {
    init(connecting cause: SystemError?) {
        self =
            switch cause?.kind {
            case .refused: .refused
            case .timedOut: .timedOut
            case .unreachable: .unreachable
            default: .local
            }
    }
}
