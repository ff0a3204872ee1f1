internal import Posix
internal import SSHConfig

/// The addresses that a local forward listens on.
///
/// C: `channel_fwd_bind_addr`, as a client calls it.
enum ForwardBinding: Equatable {
    /// All addresses of this machine.
    case wildcard
    /// Both loopback addresses.
    case loopback
    /// The addresses of a name or address.
    case host(String)

    /// - Parameters:
    ///   - host: the bind address as it was typed, nil when there was none.
    ///   - gatewayPorts: GatewayPorts, or `-g`.
    init(_ host: String?, gatewayPorts: Bool) {
        switch host {
        case nil: self = gatewayPorts ? .wildcard : .loopback
        case "", "*": self = .wildcard
        case "localhost": self = .loopback
        case let host?: self = .host(host)
        }
    }

    /// Looks the addresses up; a name is waited for.
    /// - Parameters:
    ///   - port: the port they get.
    ///   - family: the only family wanted; nil for both.
    /// - Returns: the addresses in the order they are tried.
    /// - Throws: ``NameError`` when a name has none.
    func addresses(port: UInt16, family: SocketFamily?) throws(NameError) -> [SocketAddress] {
        switch self {
        case .wildcard:
            return try NameQuery(host: "", port: port, family: family, isPassive: true)
                .answerNow().get().addresses
        case .loopback:
            return ["::1", "127.0.0.1"].flatMap {
                NameQuery(host: $0, port: port, family: family).numericAnswer()?.addresses ?? []
            }
        case .host(let host):
            return try NameQuery(host: host, port: port, family: family).answerNow().get().addresses
        }
    }
}
