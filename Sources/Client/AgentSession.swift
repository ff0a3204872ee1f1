internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import Ways

/// What the agent of Systems Manager gives in the place of a login: one shell, and connections to
/// ports as the instance sees them.
///
/// Each port has a session of its own, which carries all connections to it. A session that has
/// ended, as AWS ends those that are idle, is begun anew by the next connection.
final class AgentSession: ChannelCarrier {
    /// Sessions at a time; the account has a limit as well.
    private static let mostPorts = 16

    /// The session of a shell ends by an error of its own, and those of ports end alone.
    var failure: SSHError? { nil }
    var serverChannels = ServerChannels()

    private let instance: String
    private let caller: @Sendable () async throws(ServiceError) -> any ServiceCaller
    private let trace: Trace
    private var shell: AgentShell?
    private var ports: [(target: SessionTarget, session: PortSession)] = []
    private var channels: [WeakChannel] = []

    private struct WeakChannel {
        weak var channel: AgentPort?
    }

    /// Prepares; nothing is begun yet.
    /// - Parameters:
    ///   - known: the instance.
    ///   - cloud: gives who asks AWS.
    ///   - trace: the run's trace.
    init(_ known: KnownInstance, _ cloud: Cloud, trace: Trace) {
        instance = known.instance.id
        caller = cloud.caller(for: known)
        self.trace = trace
    }

    // MARK: - The shell

    /// Opens the shell, or runs a command on a terminal.
    /// - Parameters:
    ///   - command: nil for the shell that the account has.
    ///   - poller: the loop.
    /// - Throws: ``Ways/WayError``; ``Posix/SystemError``.
    func openShell(_ command: String?, in poller: Poller) throws {
        let word = String(UInt64.random(in: .min ... .max), radix: 36)
        let mark = command.map { _ in CommandMark(word: word) }
        let target = command.flatMap { mark?.around($0) }.map { SessionTarget.command($0) }
        let way = SystemsManagerWay(
            SystemsManagerParameters(instance: instance, target ?? .shell),
            trace: trace,
            caller: caller
        )
        poller.add(way)
        defer { poller.remove(way) }
        _ = try poller.wait { () throws -> Attempt<Void> in try way.progress() }
        shell = try AgentShell(way, mark)
    }

    // MARK: - Ports

    /// Begins the sessions of targets and waits until they stand.
    /// - Throws: ``Ways/WayError`` of the first that does not.
    func open(_ targets: [SessionTarget], in poller: Poller) throws {
        let sessions = targets.compactMap(port)
        sessions.forEach(poller.add)
        defer { sessions.forEach(poller.remove) }
        _ = try poller.wait { () throws -> Attempt<Void> in
            var isOpen = true
            for session in sessions {
                if case .again = try session.progress() { isOpen = false }
            }
            return isOpen ? .done(()) : .again
        }
    }

    /// The session to a target; a new one if there is none.
    /// - Returns: nil when there are too many.
    func port(_ target: SessionTarget) -> PortSession? {
        if let found = ports.first(where: { $0.target == target && !$0.session.isFinished }) {
            return found.session
        }
        ports.removeAll { $0.session.isFinished }
        guard ports.count < AgentSession.mostPorts else { return nil }
        let parameters = SystemsManagerParameters(instance: instance, target)
        let session = PortSession(parameters, trace: trace, caller: caller)
        let place = parameters.place
        session.onRefused = { [trace] in
            trace.say(.info, "ec2sh: the agent cannot connect to \(place)")
        }
        ports.append((target, session))
        return session
    }

    /// Ends all sessions and waits a moment for that.
    func close() {
        shell?.way.stop()
        ports.forEach { $0.session.stop() }
        shell?.way.end()
        ports.forEach { $0.session.end() }
    }

    // MARK: - Source

    var deadline: Instant? { nil }

    func watch(_ set: inout PollSet) {
        shell?.way.watch(&set)
        shell?.watch(&set)
        ports.forEach { $0.session.watch(&set) }
        channels.removeAll { $0.channel == nil }
        channels.forEach { $0.channel?.watch(&set) }
    }

    func ready(_ set: PollSet, now: Instant) throws {
        for port in ports { port.session.ready(set, now: now) }
        for entry in channels { entry.channel?.ready(set) }
        guard let shell else { return }
        shell.way.ready(set, now: now)
        shell.ready(set)
        // All that came before is put down.
        if shell.isClosed, let error = shell.way.broken { throw error }
    }

    // MARK: - ChannelCarrier

    func openSession() -> any Channel { shell ?? AgentChannel() }

    func openDirectTCP(
        host: String,
        port: UInt16,
        originHost: String,
        originPort: UInt16
    ) -> any Channel {
        let channel = AgentPort(of: self, .connections(to: host, port: port))
        channels.append(WeakChannel(channel: channel))
        return channel
    }

    func openDirectUnix(path: String) -> any Channel { AgentPort(of: self, nil) }

    /// Ports of the instance's cannot be listened on.
    func listen(host: String, port: UInt16) throws(SSHError) -> Attempt<UInt16> {
        throw .listenRefused
    }
    func beginListening(host: String, port: UInt16) {}
    func cancelListen(host: String, port: UInt16) throws(SSHError) -> Attempt<Bool> { .done(false) }

    var traffic: (sent: UInt64, received: UInt64) { shell?.traffic ?? (0, 0) }
    var packetsReceived: UInt64 { traffic.received }
    /// Websockets ask for signs of life themselves.
    func sendKeepalive() {}
    func requestRekey() {}
    func setTrafficClass(_ value: Int32) {}
}

/// A connection to a port through the agent.
final class AgentPort: AgentChannel {
    private unowned let agent: AgentSession
    /// Nil for what no session leads to.
    private let target: SessionTarget?
    private var session: PortSession?

    init(of agent: AgentSession, _ target: SessionTarget?) {
        self.agent = agent
        self.target = target
    }

    override func open() throws(SSHError) -> Attempt<Void> {
        if isConnected { return .done(()) }
        guard let target else {
            throw .openRefused(code: 3, text: "Systems Manager leads to ports only")
        }
        guard let session = session ?? agent.port(target) else {
            throw .openRefused(code: 4, text: "too many sessions of Systems Manager")
        }
        self.session = session
        do throws(WayError) {
            guard case .done = try session.progress() else { return .again }
        } catch {
            throw .openRefused(code: 2, text: error.summary)
        }
        do throws(SystemError) {
            try take(try session.connect())
        } catch {
            throw .openRefused(code: 4, text: error.reason)
        }
        return .done(())
    }
}
