internal import Faults
internal import Posix
internal import SSHConfig
internal import Ways

/// Goes a plan's way in, to a connected descriptor.
struct Reach {
    let context: Context

    /// Opens the way.
    /// - Parameters:
    ///   - plan: where to, and how.
    ///   - deadline: when a direct connect is given up; nil for the system's own limit.
    /// - Returns: the descriptor and what carries it.
    /// - Throws: the way's fault.
    func open(_ plan: Plan, until deadline: Instant?) throws -> Reached {
        switch plan.way {
        case .direct: try openDirect(plan.options, until: deadline)
        case .proxyCommand(let command): try openProxy(command, plan.options)
        case .jump(let hosts): try openJump(hosts, plan.options)
        }
    }

    private func openJump(_ hosts: [JumpHost], _ options: Options) throws -> Reached {
        guard let last = hosts.last else {
            preconditionFailure("a plan with a jump names at least one host")
        }
        var plan = try Plan.jump(last, after: context.configuration, in: context)
        if hosts.count > 1 { plan.way = .jump(Array(hosts.dropLast())) }
        context.trace.debug(.debug1, .network, "jumping through \(plan.options.host)")
        let connector = Connector(context: context)
        let connection = try connector.open(plan)
        do {
            try connector.logIn(connection, plan, LoginAttempt(plan.options.user))
        } catch {
            connection.close()
            throw error
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
