internal import Faults
internal import Posix
internal import SSHConfig
internal import Terminal
internal import Ways

/// Goes a plan's way in, to a connected descriptor.
struct Reach {
    let context: Context

    /// Opens the way.
    /// - Parameter plan: where to, and how.
    /// - Returns: the descriptor and what carries it.
    /// - Throws: the way's fault.
    func open(_ plan: Plan) throws -> Reached {
        switch plan.way {
        case .direct:
            return try openDirect(plan)
        case .proxyCommand(let command):
            var parameters = ProxyCommandParameters(command, shell: context.shell)
            parameters.passesDescriptor = plan.options.proxyUseFdpass
            // It lives as long as a master in the background, and would keep our stderr open.
            let options = plan.options
            parameters.hidesErrors =
                options.controlPath != nil && options.controlPersist != .no
                && context.configuration.verbosity == 0
            return try open(ProxyCommandWay(parameters, trace: context.trace))
        case .jump(let hosts):
            return try openJump(hosts, plan.options)
        }
    }

    /// How long a silent address is waited for when a login is repeated.
    private static let patience = Duration.seconds(3)

    private func openDirect(_ plan: Plan) throws -> Reached {
        var parameters = DirectParameters(plan.options)
        if plan.knownServer != nil {
            parameters.isHedged = true
            parameters.timeout = min(parameters.timeout ?? Reach.patience, Reach.patience)
        }
        guard let whereabouts = plan.whereabouts else {
            return try open(Direct(parameters, trace: context.trace))
        }
        let lanes = InstanceLanes(
            options: plan.options,
            whereabouts: whereabouts,
            direct: parameters,
            ways: plan.ways,
            remembered: plan.rememberedWay,
            shell: context.shell,
            trace: context.trace
        )
        // Whoever repeats a login has a line of his own.
        let status = plan.knownServer == nil ? context.statusLine() : StatusLine(.silent) { _ in }
        context.poller.add(status)
        defer {
            status.clear()
            context.poller.remove(status)
        }
        let host = plan.options.host
        let race = WayRace(lanes.lanes, trace: context.trace) { names in
            status.show("trying to reach \(host) \(list(names, "and"))", now: readClock())
        }
        defer { whereabouts.losses = race.lossesByName }
        let reached = try open(race)
        whereabouts.way = plan.options.ec2Ways.first { $0.name == race.winner }
        return reached
    }

    private func open(_ way: any Way) throws -> Reached {
        guard let descriptor = try context.poller.open(way) else {
            preconditionFailure("a way without a deadline opens or throws")
        }
        return Reached(
            descriptor: descriptor,
            address: way.peer,
            carrier: WayCarrier(way, context.poller)
        )
    }

    private func openJump(_ hosts: [JumpHost], _ options: Options) throws -> Reached {
        guard let last = hosts.last else {
            preconditionFailure("a plan with a jump names at least one host")
        }
        var plan = try Plan.jump(last, after: context.configuration, in: context)
        if hosts.count > 1 { plan.way = .jump(Array(hosts.dropLast())) }
        context.trace.debug(.debug1, .network, "jumping through \(plan.options.host)")
        let connection: Connection
        do {
            let client = try MuxClient(context, plan, in: context.poller)
            if let reached = try client?.reach() { return reached }
            var search = try LoginSearch(plan, in: context)
            connection = try search.connect()
        } catch {
            throw JumpFailed(host: plan.options.host, fault: error)
        }
        return try JumpWay.open(
            over: connection,
            to: options.hostname,
            port: UInt16(clamping: options.port),
            in: context.poller,
            trace: context.trace
        )
    }
}

extension WayRace {
    /// How the ways of EC2Ways ended that led nowhere.
    fileprivate var lossesByName: [WayName: WayError] {
        losses.reduce(into: [:]) { losses, loss in
            let way = WayName.words.first { $0.value.name == loss.name }
            if let way { losses[way.value] = loss.error }
        }
    }
}

/// Says that a host on the way could not be logged in to; what that means for the target is nothing.
private struct JumpFailed: Fault {
    let host: String
    let fault: any Error

    private var inner: (any Fault)? { fault as? any Fault }
    var layer: Layer { inner?.layer ?? .network }
    var summary: String { "jump host \(host): \(inner?.summary ?? "\(fault)")" }
    var words: [String]? { inner?.words }
    var hint: Hint? { inner?.hint }
    var cause: (any Error)? { fault }
}

/// Keeps what a way needs for the connection's lifetime.
private final class WayCarrier: Carrier {
    private let way: any Way
    private let poller: Poller

    init(_ way: any Way, _ poller: Poller) {
        self.way = way
        self.poller = poller
    }

    func close() {
        poller.remove(way)
        way.end()
    }
}

extension DirectParameters {
    /// What the configuration says about the connection.
    fileprivate init(_ options: Options) {
        self.init(host: options.hostname, port: UInt16(clamping: options.port))
        family = options.addressFamily.socketFamily
        bindAddress = options.bindAddress
        bindInterface = options.bindInterface
        timeout = options.connectTimeout.map { .seconds($0) }
        attempts = options.connectionAttempts
        keepsAlive = options.tcpKeepAlive
        trafficClass = options.ipqos.interactive.map { Int32($0) }
    }
}

extension AddressFamily {
    /// The family of sockets it means; nil for any.
    var socketFamily: SocketFamily? {
        switch self {
        case .any: nil
        case .inet: .ipv4
        case .inet6: .ipv6
        }
    }
}
