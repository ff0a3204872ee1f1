internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// Finds the way in and joins standard input and output to it, for another ssh's ProxyCommand.
///
///     ec2sh proxy HOST [PORT [USER]]
///
/// Nothing but the connection's bytes goes to standard output.
public struct ProxyRun {
    private let context: Context
    private var search: LoginSearch

    /// Prepares a run.
    /// - Parameter context: what the run shares.
    /// - Throws: what is wrong with the configuration.
    public init(in context: Context) throws {
        self.context = context
        search = try LoginSearch(Plan(context.configuration), in: context)
    }

    /// Carries the connection until it ends.
    /// - Returns: 0.
    /// - Throws: ``Stopped`` when there is no way in.
    public mutating func run() throws -> Int32 {
        let start = readClock()
        defer { search.end() }
        let pushes = context.configuration.options.isSet(.user)
        // A login of our own, before the ssh above can begin with its, is for who has asked for it.
        if context.configuration.options.resume == .yes {
            let status = try ProxyRelay(search, in: context).run { if pushes { try pushKeys() } }
            if let status { return status }
        }
        let reached = try search.reach()
        let carrier = reached.carrier
        defer { carrier.close() }
        let end = try SocketEnd(reached.takeDescriptor())
        if pushes { try pushKeys() }
        let isKept = search.plan.whereabouts?.way == .ssm
        context.trace.debug(
            .debug1,
            .network,
            "joined after \(readClock() - start); "
                + (isKept ? "Systems Manager resumes it" : "a pipe, which ends with its connection")
        )
        let pump = ProxyPump(end)
        context.poller.add(pump)
        if pushes { try renewKeys(pump) }
        _ = try context.poller.wait { pump.isOver ? .done(()) : .again }
        return 0
    }

    /// A pushed key is good for a minute: as long as the ssh above waits for a person to answer it,
    /// keys are pushed again.
    private func renewKeys(_ pump: ProxyPump) throws {
        for _ in 0..<ProxyRun.mostRenewals {
            let renewal = readClock() + ProxyRun.keyLife
            let over: Void? = try context.poller.wait(until: renewal) { () -> Attempt<Void> in
                pump.isOver || !pump.isLoggingIn ? .done(()) : .again
            }
            if over != nil { return }
            try pushKeys()
        }
    }

    /// Lets the user's own keys in, for the ssh above: which of them it will offer is its affair.
    private func pushKeys() throws {
        let plan = search.plan
        guard let whereabouts = plan.whereabouts, plan.options.ec2PushKey != .no else { return }
        let push = KeyPush(
            whereabouts: whereabouts,
            poller: context.poller,
            trace: context.trace
        )
        for key in try OwnKeys(plan, in: context).find().prefix(ProxyRun.mostKeys) {
            do {
                try push(key, user: plan.options.user)
            } catch let fault as KeyPushFailed {
                // The ssh above may get in without; if not, this is why.
                context.trace.say(.info, "ec2sh: no key was pushed: \(fault.summary)")
                return
            }
        }
    }

    /// Each key costs a call, and a server takes few tries.
    private static let mostKeys = 2
    /// A minute (SendSSHPublicKey), less what it takes to push.
    private static let keyLife = Duration.seconds(50)
    private static let mostRenewals = 10
}

/// Standard input to the way, the way to standard output, until the way's end.
private final class ProxyPump: Source {
    private let up: EndpointFlow
    private let down: EndpointFlow
    private var login = LoginProgress()

    init(_ end: SocketEnd) {
        up = EndpointFlow(from: StandardStream(0, .input), to: end)
        down = EndpointFlow(from: end, to: StandardStream(1, .output))
        unsafe up.onRead = { [unowned self] bytes in
            guard login.isUnderWay else { return }
            unsafe login.note(bytes)
        }
    }

    var isOver: Bool { down.isOver }
    var isLoggingIn: Bool { login.isUnderWay }
    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) {
        up.watch(&set)
        down.watch(&set)
    }
    func ready(_ set: PollSet, now: Instant) {
        up.ready(set)
        down.ready(set)
    }
}
