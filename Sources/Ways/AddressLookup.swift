internal import Posix

/// Looks up what a connection needs: the host's addresses, and the one of ours it comes from.
final class AddressLookup {
    /// Both answers.
    struct Answer {
        let addresses: Result<[SocketAddress], NameError>
        let own: OwnAddress
    }

    private let parameters: DirectParameters
    private let host: NameLookup?
    private let own: NameLookup?

    /// Begins to look up; what is known or given in digits needs nobody to be asked.
    init(_ parameters: DirectParameters) throws(SystemError) {
        self.parameters = parameters
        if parameters.addresses == nil {
            host = try NameLookup(
                NameQuery(host: parameters.host, port: parameters.port, family: parameters.family)
            )
        } else {
            host = nil
        }
        if let name = parameters.bindAddress {
            own = try NameLookup(NameQuery(host: name, port: 0, isPassive: true))
        } else {
            own = nil
        }
    }

    func watch(_ set: inout PollSet) {
        for number in [host?.number, own?.number].compactMap({ $0 }) {
            _ = set.watch(number, .read)
        }
    }

    /// Nil as long as an answer is missing.
    var answer: Answer? {
        guard let addresses = addresses, let own = ownAddress else { return nil }
        return Answer(addresses: addresses, own: own)
    }

    private var addresses: Result<[SocketAddress], NameError>? {
        if let known = parameters.addresses { return .success(known) }
        return host?.result.map { $0.map(\.addresses) }
    }

    private var ownAddress: OwnAddress? {
        if let name = parameters.bindAddress {
            return own?.result.map { .given(name, $0) }
        }
        return parameters.bindInterface.map { .interface($0) } ?? .any
    }
}
