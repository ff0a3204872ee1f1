internal import Faults
internal import Posix

/// One try of all addresses of a host.
final class ConnectionRound {
    /// How far it is.
    enum Outcome {
        case going
        case won(Connection)
        /// The error of the system's last choice, which is the one that ssh tells; nil when that
        /// address was not even tried.
        case lost(SystemError?)
    }

    private let parameters: DirectParameters
    private let trace: Trace
    private let own: OwnAddress
    private let last: SocketAddress?
    private let addresses: [SocketAddress]
    private var race: AddressRace
    private var connections: [Connection] = []
    private var failures: [SocketAddress: SystemError] = [:]

    /// Prepares to try addresses that are in the system's order of preference.
    init(
        _ addresses: [SocketAddress],
        from own: OwnAddress,
        _ parameters: DirectParameters,
        _ trace: Trace
    ) {
        self.parameters = parameters
        self.trace = trace
        self.own = own
        last = addresses.last
        let once = AddressRace.interleaved(addresses)
        let times = parameters.isHedged ? ConnectionRound.hedges : 1
        self.addresses = Array(repeatElement(once, count: times).joined())
        race = AddressRace(count: self.addresses.count)
    }

    /// With the race's pauses these are the tries of three seconds, for a host of one address.
    private static let hedges = 12

    func watch(_ set: inout PollSet) {
        for connection in connections { connection.watch(&set) }
    }

    var deadline: Instant? {
        connections.reduce(race.deadline) { earliest($0, $1.deadline) }
    }

    /// Takes what happened, if anything could yet, and begins what is due.
    /// - Returns: how far it is.
    func advance(_ set: PollSet?, now: Instant) -> Outcome {
        var set = set
        while true {
            for connection in connections {
                switch connection.update(set, now: now) {
                case .connecting: break
                case .connected: return .won(connection)
                case .failed(let error): drop(connection, error)
                }
            }
            set = nil
            guard let index = race.begin(now: now) else { break }
            begin(addresses[index], now: now)
        }
        if connections.isEmpty && race.isExhausted { return .lost(last.flatMap { failures[$0] }) }
        return .going
    }

    private func begin(_ address: SocketAddress, now: Instant) {
        trace.say(
            .debug1,
            "debug1: Connecting to \(parameters.host.prefix(200)) [\(address.host)] "
                + "port \(address.port)."
        )
        connections.append(Connection(to: address, from: own, parameters, trace, now: now))
    }

    private func drop(_ connection: Connection, _ error: SystemError?) {
        connections.removeAll { $0 === connection }
        // Somebody has answered: to hurry would be to ask the same again at once.
        if parameters.isHedged, error?.kind == .refused { race.stop() } else { race.hurry() }
        guard let error else { return }
        failures[connection.address] = error
        let address = connection.address
        trace.say(
            .debug1,
            "debug1: connect to address \(address.host) port \(address.port): \(error.reason)"
        )
    }
}
