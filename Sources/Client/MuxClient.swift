internal import Faults
internal import Posix
internal import SSHConfig

/// Lets a master that is there already do the work, before anything is looked up or connected.
///
/// ControlPath says where it listens; what it is told is `-O`'s word, or the task.
struct MuxClient {
    let context: Context
    let plan: Plan
    let poller: Poller
    let path: String

    private var options: Options { plan.options }
    private var trace: Trace { context.trace }

    /// Prepares a client.
    /// - Returns: nil when no master is to be asked.
    /// - Throws: ``MuxFault`` for `-O` without a ControlPath.
    init?(_ context: Context, _ plan: Plan, in poller: Poller) throws(MuxFault) {
        guard let path = plan.options.controlPath else {
            if context.configuration.controlCommand != nil {
                throw MuxFault("No ControlPath specified for \"-O\" command")
            }
            return nil
        }
        switch plan.options.controlMaster {
        case .auto, .autoAsk:
            context.trace.debug(.debug1, .local, "auto-mux: Trying existing master")
        case .no: break
        case .yes, .ask: return nil
        }
        self.context = context
        self.plan = plan
        self.poller = poller
        self.path = path
    }

    /// Asks the master.
    /// - Returns: the exit status; nil when there is no master and the run goes on without one.
    /// - Throws: ``MuxFault`` for what ends the run.
    func run() throws -> Int32? {
        let command = context.configuration.controlCommand
        guard let link = try connect(isCommand: command != nil) else { return nil }
        defer { link.leave() }
        if let command { return try tell(command, link) }
        if !forwards.isEmpty {
            guard try link.isWelcome() else { return nil }
            if try !send(forwards, link, cancels: false) {
                trace.say(.error, "muxclient: master forward request failed")
                return nil
            }
        }
        return try MuxPassenger(context, plan, link, in: poller).run()
    }

    /// Connects to the master.
    /// - Returns: nil when there is none and that is no reason to stop.
    func connect(isCommand: Bool) throws -> MuxLink? {
        do throws(SystemError) {
            return try MuxLink(
                connectLocal(LosslessText.bytes(path)),
                in: poller,
                trace: trace
            )
        } catch {
            if error.kind == .tooLong {
                throw MuxFault("ControlPath too long ('\(path)' >= 108 bytes)")
            }
            let line = "Control socket connect(\(path.prefix(100))): \(error.reason)"
            if isCommand { throw MuxFault(line) }
            if error.kind == .refused && options.controlMaster != .no {
                trace.debug(.debug1, .local, "Stale control socket \(path), unlinking")
                try? removeFile(rawPath: LosslessText.bytes(path))
            } else if error.kind == .missing {
                trace.debug(.debug1, .local, "Control socket \"\(path)\" does not exist")
            } else {
                trace.say(.error, line)
            }
            return nil
        }
    }

    // MARK: - Commands

    private func tell(
        _ command: Configuration.ControlCommand,
        _ link: MuxLink
    ) throws -> Int32? {
        guard try link.isWelcome() else { return nil }
        switch command {
        case .check:
            print("Master running (pid=\(try link.askAlive()))", always: true)
        case .exit:
            try link.askToExit()
            print("Exit request sent.")
        case .stop:
            try link.askToStopListening()
            print("Stop listening request sent.")
        case .forward:
            if try !send(forwards, link, cancels: false) {
                throw MuxFault("muxclient: master forward request failed")
            }
        case .cancel:
            if try !send(forwards, link, cancels: true) {
                trace.say(.error, "muxclient: master cancel forward request failed")
            }
        case .proxy:
            return try runProxied(link)
        }
        return 0
    }

    /// Not a log line: LogLevel matters only as far as OpenSSH has it.
    private func print(_ line: String, always: Bool = false) {
        if !always && options.logLevel == .quiet { return }
        do throws(SystemError) { try writeAll(2, Array("\(line)\r\n".utf8)) } catch {}
    }

    // MARK: - Forwards

    private var forwards: [MuxForward] {
        options.localForwards.map { MuxForward($0, isRemote: false) }
            + options.remoteForward.map { MuxForward($0, isRemote: true) }
    }

    /// - Returns: whether the master did all of them.
    private func send(_ forwards: [MuxForward], _ link: MuxLink, cancels: Bool) throws -> Bool {
        var isDone = true
        for forward in forwards {
            trace.debug(
                .debug1,
                .local,
                "Requesting \(cancels ? "cancellation" : "forwarding") of "
                    + forward.description(gatewayPorts: options.gatewayPorts)
            )
            if try !send(forward, link, cancels: cancels) { isDone = false }
        }
        return isDone
    }

    private func send(_ forward: MuxForward, _ link: MuxLink, cancels: Bool) throws -> Bool {
        let function = "mux_client_forward"
        let id = link.send {
            cancels ? .closeForward(id: $0, forward) : .openForward(id: $0, forward)
        }
        guard let reply = try link.reply() else { return false }
        try reply.check(id: id, in: function)
        switch reply {
        case .ok: return true
        case .remotePort(_, let port) where !cancels:
            let target = "\(forward.connectHost):\(forward.connectPort)"
            trace.say(.verbose, "Allocated port \(port) for remote forward to \(target)")
            if context.configuration.controlCommand == .forward {
                try writeAll(1, Array("\(port)\n".utf8))
            }
            return true
        case .permissionDenied(_, let reason):
            trace.say(.error, "Master refused forwarding request: \(reason)")
            return false
        case .failure(_, let reason):
            trace.say(.error, "\(function): forwarding request failed: \(reason)")
            return false
        default:
            throw MuxFault("\(function): unexpected response from master \(reply.typeText)")
        }
    }
}

extension MuxLink {
    /// Asks whether the master lives.
    /// - Returns: its process id.
    /// - Throws: ``MuxFault``.
    func askAlive() throws -> UInt32 {
        let id = send { .aliveCheck(id: $0) }
        return try awaitAlive(id)
    }

    /// Waits for the answer to an alive check.
    /// - Returns: the master's process id.
    /// - Throws: ``MuxFault``.
    func awaitAlive(_ id: UInt32) throws -> UInt32 {
        let function = "mux_client_request_alive"
        guard let reply = try reply() else {
            throw MuxFault("muxclient: master alive check failed")
        }
        try reply.check(id: id, in: function)
        guard case .alive(_, let pid) = reply else {
            throw MuxFault("\(function): master returned error: \(reply.reason ?? reply.typeText)")
        }
        return pid
    }

    fileprivate func askToExit() throws {
        let function = "mux_client_request_terminate"
        let id = send { .terminate(id: $0) }
        // It may end before it answers.
        guard let reply = try reply() else { return }
        try reply.check(id: id, in: function)
        switch reply {
        case .ok: break
        case .permissionDenied(_, let reason):
            throw MuxFault("Master refused termination request: \(reason)")
        case .failure(_, let reason):
            throw MuxFault("\(function): termination request failed: \(reason)")
        default: throw MuxFault("\(function): unexpected response from master \(reply.typeText)")
        }
    }

    fileprivate func askToStopListening() throws {
        let function = "mux_client_request_stop_listening"
        let id = send { .stopListening(id: $0) }
        guard let reply = try reply() else {
            throw MuxFault("\(function): read from master failed: Broken pipe")
        }
        try reply.check(id: id, in: function)
        switch reply {
        case .ok: break
        case .permissionDenied(_, let reason):
            throw MuxFault("Master refused stop listening request: \(reason)")
        case .failure(_, let reason):
            throw MuxFault("\(function): stop listening request failed: \(reason)")
        default: throw MuxFault("\(function): unexpected response from master \(reply.typeText)")
        }
    }
}
