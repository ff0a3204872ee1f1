internal import Faults
internal import Posix

/// Which address of this machine a connection comes from (BindAddress, BindInterface).
enum OwnAddress {
    /// Whichever the system chooses.
    case any
    /// An interface's.
    case interface(String)
    /// The one that was given, and what the system makes of it.
    case given(String, Result<NameAnswer, NameError>)

    /// Says in ssh's words why a socket cannot have it.
    struct Refusal: Error, Equatable {
        let level: Trace.Level
        let line: String
    }

    /// - Returns: the address for a socket of a family, nil when the system chooses.
    func address(_ family: SocketFamily) throws(Refusal) -> SocketAddress? {
        switch self {
        case .any:
            return nil
        case .interface(let name):
            return try address(of: name, family)
        case .given(let name, .failure(let error)):
            throw Refusal(level: .error, line: "getaddrinfo: \(name): \(error.reason)")
        case .given(let name, .success(let answer)):
            if let found = answer.addresses.first(where: { $0.family == family }) { return found }
            let reason = NameError.wrongFamily(name).reason
            throw Refusal(level: .error, line: "getaddrinfo: \(name): \(reason)")
        }
    }

    private func address(
        of interface: String,
        _ family: SocketFamily
    ) throws(Refusal) -> SocketAddress? {
        do throws(SystemError) {
            if let found = try interfaceAddress(interface, family) { return found }
        } catch {
            throw Refusal(level: .error, line: "getifaddrs: \(interface): \(error.reason)")
        }
        throw Refusal(level: .info, line: "getifaddrs: \(interface): no suitable addresses")
    }
}
