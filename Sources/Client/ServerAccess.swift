internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// What programs on the server may use of this side over one login: the user's agent and X server.
///
/// C: `client_request_agent`, `client_request_x11` in clientloop.c.
final class ServerAccess {
    private let context: Context
    private let options: Options
    private let channels: ChannelList
    private let isAgentAllowed: Bool
    private let isX11Allowed: Bool
    private var display: Display = .notAskedFor

    /// The X server, once its cookie was asked for.
    private enum Display {
        case notAskedFor
        case missing
        case forwarded(X11Forwarding)
    }

    /// Takes the channels that the server opens to the agent and the X server.
    /// - Parameters:
    ///   - options: ForwardAgent, ForwardX11 and what belongs to them.
    ///   - session: what the server opens channels on.
    ///   - restrictions: what must not be done over it.
    ///   - channels: what lives on it.
    ///   - context: what the run shares.
    init(
        _ options: Options,
        _ session: any ChannelCarrier,
        _ restrictions: HostKeyPolicy.Exposed,
        _ channels: ChannelList,
        in context: Context
    ) {
        self.context = context
        self.options = options
        self.channels = channels
        isAgentAllowed = options.forwardAgent && !restrictions.contains(.agent)
        isX11Allowed = options.forwardX11 && !restrictions.contains(.x11)
        session.serverChannels.onAgent = { [weak self] _ in self?.takeAgentChannel() }
        session.serverChannels.onX11 = { [weak self] request in
            self?.takeX11Channel(request)
        }
    }

    // MARK: - What a session asks for

    /// Whether there is an agent to forward.
    ///
    /// C: `check_agent_present` in ssh.c.
    var hasAgent: Bool { isAgentAllowed && agentPath.flatMap { try? connect(path: $0) } != nil }

    /// What the server is to be told of the X server; asked for the first time, xauth is run.
    /// - Returns: nil when there is nothing to forward.
    func x11Request() -> X11Request? {
        guard isX11Allowed else { return nil }
        if case .notAskedFor = display {
            display =
                X11Forwarding(options, context.environment, trace: context.trace)
                .map { .forwarded($0) } ?? .missing
        }
        if case .forwarded(let forwarding) = display { return forwarding.request }
        return nil
    }

    // MARK: - What the server opens

    private func takeAgentChannel() -> ((any Channel) -> Void)? {
        guard isAgentAllowed else { return suspect("agent") }
        guard let path = agentPath, let socket = try? connect(path: path) else { return nil }
        return { [self] channel in join(channel, socket, nil) }
    }

    private func takeX11Channel(_ request: ServerChannelRequest) -> ((any Channel) -> Void)? {
        guard isX11Allowed, case .forwarded(let forwarding) = display else {
            return suspect("X11")
        }
        let trace = context.trace
        guard forwarding.isOpen(readClock()) else {
            trace.say(.verbose, "Rejected X11 connection after ForwardX11Timeout expired")
            return nil
        }
        trace.debug(
            .debug1,
            .channel,
            "client_request_x11: request from \(request.originHost) \(request.originPort)"
        )
        switch forwarding.display.place {
        case .socket(let path):
            do throws(SystemError) {
                let socket = try connect(path: path)
                return { [self] channel in join(channel, socket, forwarding) }
            } catch {
                trace.say(.error, "connect \(path): \(error.reason)")
                return nil
            }
        case .tcp(let host, let port):
            return { [self] channel in
                let dial = X11Dial(
                    host,
                    port,
                    for: channel,
                    options,
                    in: channels,
                    trace: trace,
                    onConnected: { [self] socket in join(channel, socket, forwarding) }
                )
                channels.add(dial)
            }
        }
    }

    private func join(_ channel: any Channel, _ socket: SocketEnd, _ forwarding: X11Forwarding?) {
        let gate = forwarding.map { X11Gate(socket, $0, trace: context.trace) }
        channels.add(
            SocketChannel(
                channel,
                to: socket,
                through: gate,
                name: gate == nil ? "authentication agent connection" : "x11",
                in: channels,
                trace: context.trace
            )
        )
    }

    /// Refuses what was not offered.
    private func suspect(_ what: String) -> ((any Channel) -> Void)? {
        context.trace.say(.error, "Warning: ssh server tried \(what) forwarding.")
        context.trace.say(
            .error,
            "Warning: this is probably a break-in attempt by a malicious server."
        )
        return nil
    }

    // MARK: - The agent

    /// ForwardAgent's socket, else that of the agent the login used.
    private var agentPath: String? {
        guard let socket = options.forwardAgentSocket else { return context.agentPath(options) }
        return socket.hasPrefix("$") ? context.environment[String(socket.dropFirst())] : socket
    }

    /// Connects to a socket of this machine, which takes no time unless its owner sleeps.
    private func connect(path: String) throws(SystemError) -> SocketEnd {
        guard let address = SocketAddress(path: path) else { throw .socketPathTooLong(path) }
        let socket = try makeStreamSocket(.local)
        if case .again = try beginConnecting(socket.number, to: address) {
            try finishConnecting(socket.number)
        }
        return try SocketEnd(socket)
    }
}
