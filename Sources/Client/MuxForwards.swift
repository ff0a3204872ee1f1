internal import Faults
internal import SSHConfig

/// The forwards of a shared connection, as its clients ask for them and take them back.
final class MuxForwards {
    /// What stands, with the port the server chose where it was asked to.
    private var standing: [(forward: MuxForward, port: Int?)]
    private unowned let loggedIn: LoggedIn

    private var options: Options { loggedIn.plan.options }
    private var trace: Trace { loggedIn.context.trace }

    /// Begins with the forwards of the configuration.
    /// - Parameter loggedIn: the login they go through.
    init(over loggedIn: LoggedIn) {
        self.loggedIn = loggedIn
        let options = loggedIn.plan.options
        standing =
            options.localForwards.map { (MuxForward($0, isRemote: false), nil) }
            + options.remoteForward.map { (MuxForward($0, isRemote: true), nil) }
    }

    /// Opens a forward, unless it stands already.
    /// - Parameters:
    ///   - message: what the client asks for.
    ///   - id: its request.
    ///   - answer: called once, at once or when the server has answered.
    func open(_ message: MuxForward, _ id: UInt32, answer: @escaping (MuxReply) -> Void) {
        guard let forward = message.forward else {
            answer(.failure(id: id, reason: "Invalid forwarding request"))
            return
        }
        let known = standing.first { $0.forward == message && $0.forward.hasPort($0.port) }
        if let known {
            trace.debug(.debug2, .channel, "found existing forwarding")
            answer(reply(id, known.port))
        } else if message.kind == MuxForward.remote {
            openRemote(forward, message, id, answer)
        } else if loggedIn.forwarding.openLocal(forward) {
            standing.append((message, nil))
            answer(.ok(id: id))
        } else {
            let text = message.description(gatewayPorts: options.gatewayPorts)
            trace.say(.info, "mux_master_process_open_fwd: requested \(text) failed")
            answer(.failure(id: id, reason: "Port forwarding failed"))
        }
    }

    private func openRemote(
        _ forward: Forward,
        _ message: MuxForward,
        _ id: UInt32,
        _ answer: @escaping (MuxReply) -> Void
    ) {
        loggedIn.forwarding.openRemote(forward) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let port):
                let chosen = message.listenPort == 0 ? port : nil
                standing.append((message, chosen))
                answer(reply(id, chosen))
            case .failure(let fault):
                let reason = fault.reason
                trace.say(.error, "mux_confirm_remote_forward: \(reason)")
                answer(.failure(id: id, reason: reason))
            }
        }
    }

    private func reply(_ id: UInt32, _ port: Int?) -> MuxReply {
        port.map { .remotePort(id: id, port: UInt32(clamping: $0)) } ?? .ok(id: id)
    }

    /// Takes a forward back; its connections go on.
    /// - Parameters:
    ///   - message: the forward as it was asked for.
    ///   - id: the client's request.
    /// - Returns: the answer.
    func close(_ message: MuxForward, _ id: UInt32) -> MuxReply {
        guard let index = standing.firstIndex(where: { $0.forward == message }),
            let forward = message.forward
        else { return .failure(id: id, reason: "port not forwarded") }
        let port = standing[index].port
        if message.kind == MuxForward.remote {
            guard loggedIn.forwarding.cancelRemote(forward.listener(with: port)) else {
                return .failure(id: id, reason: "port not in permitted opens")
            }
        } else {
            let isDynamic = message.kind == MuxForward.dynamic
            guard loggedIn.forwarding.cancelLocal(forward.listener, isDynamic: isDynamic) else {
                return .failure(id: id, reason: "port not found")
            }
        }
        standing.remove(at: index)
        return .ok(id: id)
    }
}

extension MuxForward {
    /// Whether the port is known, where it was the server's to choose.
    fileprivate func hasPort(_ port: Int?) -> Bool {
        kind != MuxForward.remote || listenPort != 0 || port != nil
    }
}

extension Forward {
    fileprivate func listener(with port: Int?) -> Listener {
        if let port, case .tcp(let host, _) = listener { return .tcp(host: host, port: port) }
        return listener
    }
}

extension ForwardFault {
    /// What a client is told.
    fileprivate var reason: String {
        switch self {
        case .local: "Port forwarding failed"
        case .remotePort(let port): "remote port forwarding failed for listen port \(port)"
        case .remotePath(let path): "remote port forwarding failed for listen path \(path)"
        }
    }
}
