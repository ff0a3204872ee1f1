internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig
internal import Ways

/// A run that does without sshd: the agent of Systems Manager gives a shell, or connects to ports.
struct AgentRun {
    let context: Context
    let plan: Plan
    let whereabouts: Whereabouts

    /// Opens a shell in the place of a login, after saying so.
    /// - Parameter fault: why sshd is out of reach.
    /// - Returns: the exit status.
    /// - Throws: ``Stopped`` when there is no shell either; what ends the session.
    func runShell(after fault: any Error) throws -> Int32 {
        let known = try find()
        let agent = AgentSession(known, whereabouts.cloud, trace: context.trace)
        defer { agent.close() }
        sayShell(known, fault)
        do {
            try context.showing("opening a shell by Systems Manager") {
                try agent.openShell(try command(), in: context.poller)
            }
        } catch let error as WayError {
            let tried = "also tried a shell by Systems Manager (\(error.summary))"
            throw Stopped(fault: fault, stop: Strategy.Stop(tried: tried, hint: error.hint))
        }
        return try work(over: agent)
    }

    /// Holds the connection for local forwards alone (`-N -L`).
    /// - Parameter forked: what lets the foreground go, with `-f`.
    /// - Returns: the exit status.
    /// - Throws: ``Stopped`` when a session cannot be had; what ends the run.
    func runPorts(_ forked: ForkedProcess? = nil) throws -> Int32 {
        let known = try find()
        let agent = AgentSession(known, whereabouts.cloud, trace: context.trace)
        defer { agent.close() }
        let targets = plan.options.localForwards.compactMap { forward -> SessionTarget? in
            guard case .tcp(let host, let port) = forward.destination else { return nil }
            return .connections(to: host, port: UInt16(clamping: port))
        }
        context.trace.debug(.debug1, .network, "ports of \(known.instance.id), without sshd")
        do {
            try context.showing("asking Systems Manager for \(plan.options.host)") {
                try agent.open(targets, in: context.poller)
            }
        } catch let error as WayError {
            throw Stopped(fault: error, stop: .silently)
        }
        return try work(over: agent, forked)
    }

    // MARK: - Steps

    /// The instance, which has to run.
    private func find() throws -> KnownInstance {
        do {
            try whereabouts.begin()
            let found = try context.showing("asking AWS for \(plan.options.host)") {
                try context.poller.wait(about: whereabouts) { try whereabouts.progress() }
            }
            guard let found else { preconditionFailure("there is no deadline to pass") }
            if found.instance.state != .running { throw WayError(notRunning: found) }
            return found
        } catch let fault as InstanceLookupError {
            throw Stopped(fault: WayError(lookingUp: fault), stop: .silently)
        } catch let error as WayError {
            throw Stopped(fault: error, stop: .silently)
        }
    }

    private func work(over agent: AgentSession, _ forked: ForkedProcess? = nil) throws -> Int32 {
        context.poller.add(agent)
        defer { context.poller.remove(agent) }
        whereabouts.way = .ssm
        var plan = plan
        plan.options.giveUpLogin()
        var work = Work(loggedIn: LoggedIn(context: context, plan: plan, session: agent))
        work.forked = forked
        return try work.run()
    }

    private func command() throws -> String? {
        guard case .command(let words) = plan.task else { return nil }
        guard let text = String(validating: words, as: UTF8.self) else {
            throw NoText()
        }
        return text
    }

    /// One line: what failed, and whose shell it is that comes.
    private func sayShell(_ known: KnownInstance, _ fault: any Error) {
        let reason = (fault as? any Fault)?.summary ?? "\(fault)"
        let user = plan.options.isSet(.user) ? ", not \(plan.options.user)'s" : ""
        context.trace.say(
            .info,
            "ec2sh: sshd is out of reach (\(reason)); opening a shell of \(known.instance.id) by "
                + "Systems Manager, as its own user\(user)"
        )
        if plan.options.forwardAgent || plan.options.forwardX11 {
            context.trace.say(.info, "ec2sh: without sshd neither the agent nor X11 is forwarded")
        }
    }
}

/// Says that a command cannot be handed to Systems Manager.
private struct NoText: Fault {
    var layer: Layer { .usage }
    var summary: String { "Systems Manager takes commands in UTF-8 only" }
}

extension Options {
    /// Leaves out what only a login could give.
    fileprivate mutating func giveUpLogin() {
        controlMaster = .no
        // Websockets look after themselves.
        serverAliveInterval = 0
        forwardAgent = false
        forwardX11 = false
    }
}
