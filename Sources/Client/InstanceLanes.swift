internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig
internal import Ways

/// The ways to an instance, in the order of EC2Ways.
///
/// A way that needs nothing from AWS begins at once; what the others need is found out beside it,
/// and only when they are wanted.
struct InstanceLanes {
    let options: Options
    let whereabouts: Whereabouts
    let direct: DirectParameters
    /// Those that are tried, in this order.
    let ways: [WayName]
    /// The way that worked the last time.
    let remembered: WayName?
    /// SHELL.
    let shell: String?
    let trace: Trace

    private var port: UInt16 { UInt16(clamping: options.port) }

    /// The lanes, the first one first; the one that worked the last time begins beside it.
    var lanes: [WayRace.Lane] {
        let ways = whereabouts.isManaged ? [.ssm] : self.ways
        var lanes = ways.map { (way: $0, lane: lane($0)) }
        if let index = lanes.firstIndex(where: { $0.way == remembered }), index > 0 {
            var known = lanes.remove(at: index)
            known.lane.beginsAtOnce = true
            lanes.insert(known, at: 1)
        }
        return lanes.map(\.lane)
    }

    private func lane(_ way: WayName) -> WayRace.Lane {
        switch way {
        case .direct: directLane
        case .endpoint: endpointLane
        case .ssm: systemsManagerLane
        }
    }

    // MARK: - Direct

    private var directLane: WayRace.Lane {
        guard whereabouts.needsAddress else {
            return WayRace.Lane(WayName.direct.name) { Direct(direct, trace: trace) }
        }
        return late(.direct) { known throws(WayError) in
            let instance = known.instance
            // A private address leads nowhere from here, as a rule; who is inside the network says so
            // by allowing nothing else.
            let isOnly = options.ec2Ways == [.direct]
            let address =
                instance.publicAddress ?? instance.ipv6Addresses.first
                ?? (isOnly ? instance.privateAddress : nil)
            guard let address else {
                throw WayError(instance: instance.id, without: "public address")
            }
            var parameters = direct
            parameters.host = address
            return Direct(parameters, trace: trace)
        }
    }

    // MARK: - Through AWS

    private var endpointLane: WayRace.Lane {
        late(.endpoint) { known throws(WayError) in
            if mayFork { return try child(.endpoint, known) }
            let instance = known.instance
            guard let vpc = instance.vpc,
                let address = instance.privateAddress ?? instance.ipv6Addresses.first
            else { throw WayError(instance: instance.id, without: "address in a VPC") }
            var parameters = EndpointParameters(
                vpc: vpc,
                subnet: instance.subnet,
                zone: instance.zone,
                privateAddress: address
            )
            parameters.port = port
            return EndpointWay(
                parameters,
                trace: trace,
                endpoints: whereabouts.cloud.endpoints(in: vpc, of: known),
                caller: whereabouts.cloud.caller(for: known)
            )
        }
    }

    private var systemsManagerLane: WayRace.Lane {
        late(.ssm) { known throws(WayError) in
            guard options.ec2Ways.contains(.ssm) else {
                throw WayError(onlyManaged: known.instance.id)
            }
            if mayFork { return try child(.ssm, known) }
            if let shared = sharedSession(known) { return PortWay(over: shared) }
            return SystemsManagerWay(
                SystemsManagerParameters(instance: known.instance.id, .server(port: port)),
                trace: trace,
                caller: whereabouts.cloud.caller(for: known)
            )
        }
    }

    private func sharedSession(_ known: KnownInstance) -> PortSession? {
        whereabouts.sharing.session {
            PortSession(
                SystemsManagerParameters(instance: known.instance.id, .port(host: nil, port)),
                trace: trace,
                caller: whereabouts.cloud.caller(for: known)
            )
        }
    }

    // MARK: - In a process of its own

    private var mayFork: Bool { options.mayFork }

    private func child(_ way: WayName, _ known: KnownInstance) throws(WayError) -> any Way {
        var words: [String]
        do throws(SystemError) {
            words = [try ownProgramPath()]
        } catch {
            throw WayError(lookingUp: error)
        }
        words += ["proxy", "-F", "none", "-oEC2Ways=\(way.word)", "-oEC2Region=\(known.region)"]
        if let profile = options.ec2Profile { words.append("-oEC2Profile=\(profile)") }
        words += [known.instance.id, "\(port)"]
        let command = words.map(StrategyHints.quoted).joined(separator: " ")
        return try ProxyCommandWay(ProxyCommandParameters(command, shell: shell), trace: trace)
    }

    private func late(
        _ way: WayName,
        _ make: @escaping (KnownInstance) throws(WayError) -> any Way
    ) -> WayRace.Lane {
        WayRace.Lane(way.name) { LateWay(InstanceFinder(whereabouts, make)) }
    }
}

extension Options {
    /// Whether the connection may outlive this process (`-f`, ControlPersist): a tunnel's threads
    /// do not go through a fork, so that it has to live elsewhere.
    fileprivate var mayFork: Bool {
        forkAfterAuthentication || controlPath != nil && controlPersist != .no
    }
}

extension Plan {
    /// Whether the connection's bytes go through threads of this process.
    var isTunnelled: Bool {
        switch whereabouts?.way {
        case .endpoint?, .ssm?: !options.mayFork
        case .direct?, nil: false
        }
    }
}

extension WayName {
    /// What a way is called in messages.
    var name: String {
        switch self {
        case .direct: "directly"
        case .endpoint: "through an endpoint"
        case .ssm: "through Systems Manager"
        }
    }
}

/// Waits for an instance's facts and makes a way of them.
private final class InstanceFinder: LateWay.Finder {
    private let whereabouts: Whereabouts
    private let make: (KnownInstance) throws(WayError) -> any Way

    init(
        _ whereabouts: Whereabouts,
        _ make: @escaping (KnownInstance) throws(WayError) -> any Way
    ) {
        self.whereabouts = whereabouts
        self.make = make
    }

    func find() throws(WayError) -> (any Way)? {
        let known: KnownInstance
        do {
            try whereabouts.begin()
            guard case .done(let found) = try whereabouts.progress() else { return nil }
            known = found
        } catch let fault as any Fault {
            throw WayError(lookingUp: fault)
        } catch {
            throw WayError(lookingUp: LookupFailed(error: error))
        }
        // What Systems Manager last heard of an agent is no news; a session will tell.
        if known.instance.state == .running || known.isManaged { return try make(known) }
        throw WayError(notRunning: known)
    }

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) { whereabouts.sources.forEach { $0.watch(&set) } }
    func ready(_ set: PollSet, now: Instant) {}
}

/// Wraps what is no fault of ours.
private struct LookupFailed: Fault {
    let error: any Error
    var layer: Layer { .aws }
    var summary: String { "the instance could not be looked up: \(error)" }
}

extension WayError {
    /// There is no way to an instance that does not run.
    init(notRunning known: KnownInstance) {
        let state = known.instance.state.rawValue
        self.init(instance: known.instance.id, state: state, hint: known.startHint)
    }
}

extension KnownInstance {
    /// How to make it run; nil when it does, or never will.
    fileprivate var startHint: Hint? {
        switch instance.state {
        case .stopped, .stopping:
            .run("aws ec2 start-instances --region \(region) --instance-ids \(instance.id)")
        case .pending: .advice("it is being started; try again in a minute")
        default: nil
        }
    }
}

extension KnownInstance {
    /// Whether it was started so lately that sshd may not be up.
    func isStarting(now: Timestamp) -> Bool {
        if instance.state == .pending { return true }
        guard let launched = instance.launched.flatMap(Timestamp.init) else { return false }
        return now.seconds - launched.seconds < 180
    }
}
