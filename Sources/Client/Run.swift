internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig

/// One run: logs in, falling back as the strategy says, and does the task.
public struct Run {
    private let context: Context
    private let plan: Plan

    /// Prepares a run.
    /// - Parameter context: what the run shares, its configuration above all.
    /// - Throws: ``SSHConfig/ConfigurationFault`` for tokens that cannot be expanded.
    public init(in context: Context) throws {
        self.context = context
        try Unsupported.check(context.configuration, trace: context.trace)
        plan = try Plan(context.configuration)
    }

    /// Logs in and does the task.
    /// - Returns: the exit status.
    /// - Throws: ``Stopped`` when no login is left to try; ``EC2/UserTableError`` when the user's own
    ///   table of names is damaged; the fault that ended the work.
    public func run() throws -> Int32 {
        let client = try MuxClient(context, plan, in: context.poller)
        if let status = try client?.run() { return status }
        let wish = AgentFacts.Wish(plan, isAttended: isTerminal(0))
        if let status = try runPorts(wish) { return status }
        var search = try LoginSearch(plan, in: context, wish: wish)
        defer { search.end() }
        while true {
            let connection: Connection
            switch try search.find() {
            case .login(let found): connection = found
            case .shell(let fault):
                return try agentRun(search)?.runShell(after: fault) ?? Work.failure
            case .ports: return try agentRun(search)?.runPorts() ?? Work.failure
            }
            // A guessed user may turn out to be the wrong one only now.
            let watch = search.isGuessing ? UserHintWatch() : nil
            let carrier = resumed(connection, search)
            let loggedIn = LoggedIn(
                context: context,
                plan: search.plan,
                session: carrier ?? connection.session,
                restrictions: connection.restrictions
            )
            let status = try Work(loggedIn: loggedIn, hintWatch: watch).run()
            carrier?.close() ?? connection.close()
            guard let user = watch?.user else { return status }
            try search.redirect(to: user)
        }
    }

    /// The connection under a keeper that replaces it, where sessions are resumed.
    private func resumed(_ connection: Connection, _ search: LoginSearch) -> ResumedCarrier? {
        guard let server = connection.server,
            let settings = ResumeSettings(search.plan.options, isInstance: search.isInstance)
        else { return nil }
        let reconnector = Reconnector(search, server, in: context)
        let carrier = ResumedCarrier(connection, reconnector, settings, in: context)
        carrier.records = SessionKeeper(
            SessionRecords(of: context),
            context.configuration.invocation
        )
        return carrier
    }

    /// Reaches ports by Systems Manager alone, if that is what is asked for.
    private func runPorts(_ wish: AgentFacts.Wish) throws -> Int32? {
        var facts = LoginFacts(plan.options, localUser: context.user.name)
        facts.agent.wish = wish
        guard plan.way == .direct, Strategy.needsNoServer(facts) else { return nil }
        // What asks AWS has threads, which do not go through a fork.
        let forked =
            plan.options.forkAfterAuthentication
            ? try ForkedProcess.begin(context.poller.signals) : nil
        let table = try UserTable.load(userFile: context.userTablePath)
        guard let whereabouts = try Whereabouts.of(plan, table: table, in: context) else {
            return nil
        }
        return try AgentRun(context: context, plan: plan, whereabouts: whereabouts)
            .runPorts(forked)
    }

    private func agentRun(_ search: LoginSearch) -> AgentRun? {
        search.plan.whereabouts.map {
            AgentRun(context: context, plan: search.plan, whereabouts: $0)
        }
    }
}
