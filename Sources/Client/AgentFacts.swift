internal import SSHConfig

/// What a decision for the agent of Systems Manager, in the place of sshd, rests on.
struct AgentFacts: Sendable {
    /// What is wanted of the host, as far as the agent could do it.
    enum Wish: Sendable {
        /// A shell for a person at a terminal.
        case shell
        /// A command for a person at a terminal.
        case command
        /// Connections to ports of TCP, and nothing else (`-N -L`).
        case ports
        /// Anything for a script, or what only a login gives.
        case other
    }

    /// What is wanted.
    var wish = Wish.other
    /// EC2ShellFallback.
    var fallback = AutoYesNo.auto
    /// The instance's id, once AWS has told it; without it there is no agent.
    var instance: String?
}

extension AgentFacts.Wish {
    /// What a plan wants.
    /// - Parameters:
    ///   - plan: the task and its options.
    ///   - isAttended: whether standard input is a terminal.
    init(_ plan: Plan, isAttended: Bool) {
        let options = plan.options
        let isForPerson =
            isAttended && plan.wantsTerminal && !options.stdinNull
            && !options.forkAfterAuthentication
        switch plan.task {
        case .shell where isForPerson: self = .shell
        case .command where isForPerson: self = .command
        case .hold where options.leadsToPortsOnly: self = .ports
        case .shell, .command, .subsystem, .hold, .forward: self = .other
        }
    }
}

extension Options {
    /// Whether every forward there is leads from here to a port of TCP.
    fileprivate var leadsToPortsOnly: Bool {
        let arePorts = localForwards.allSatisfy {
            if case .tcp = $0.destination { true } else { false }
        }
        return !localForwards.isEmpty && arePorts && remoteForward.isEmpty
    }
}
