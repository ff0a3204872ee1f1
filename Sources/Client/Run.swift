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
            let loggedIn = LoggedIn(context: context, plan: search.plan, connection: connection)
            let status = try Work(loggedIn: loggedIn, hintWatch: watch).run()
            connection.close()
            guard let user = watch?.user else { return status }
            try search.redirect(to: user)
        }
    }
}
