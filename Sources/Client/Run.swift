internal import Faults
internal import Posix
internal import SSH

/// One run: logs in, falling back as the strategy says, and does the task.
public struct Run {
    private let context: Context
    private var search: LoginSearch

    /// Prepares a run.
    /// - Parameter context: what the run shares, its configuration above all.
    /// - Throws: ``EC2/UserTableError`` when the user's own table of names is damaged;
    ///   ``SSHConfig/ConfigurationFault`` for tokens that cannot be expanded.
    public init(in context: Context) throws {
        self.context = context
        try Unsupported.check(context.configuration, trace: context.trace)
        search = try LoginSearch(Plan(context.configuration), in: context)
    }

    /// Logs in and does the task.
    /// - Returns: the exit status.
    /// - Throws: ``Stopped`` when no login is left to try; the fault that ended the work.
    public mutating func run() throws -> Int32 {
        let client = try MuxClient(context, search.plan, in: context.poller)
        if let status = try client?.run() { return status }
        while true {
            let connection = try search.connect()
            // A guessed user may turn out to be the wrong one only now.
            let watch = search.isGuessing ? UserHintWatch() : nil
            let carrier = resumed(connection)
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
    private func resumed(_ connection: Connection) -> ResumedCarrier? {
        guard let server = connection.server,
            let settings = ResumeSettings(search.plan.options, isInstance: search.isInstance)
        else { return nil }
        let reconnector = Reconnector(search, server, in: context)
        return ResumedCarrier(connection, reconnector, settings, in: context)
    }
}
