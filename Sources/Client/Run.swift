internal import EC2
public import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// One run: logs in, falling back as the strategy says, and does the task.
public struct Run {
    private let context: Context
    private let plan: Plan
    private let memory: LoginMemory?
    private var facts: LoginFacts

    /// Prepares a run.
    /// - Parameter context: what the run shares, its configuration above all.
    /// - Throws: ``EC2/UserTableError`` when the user's own table of names is damaged;
    ///   ``SSHConfig/ConfigurationFault`` for tokens that cannot be expanded.
    public init(in context: Context) throws {
        self.context = context
        try Unsupported.check(context.configuration, trace: context.trace)
        plan = try Plan(context.configuration)
        facts = LoginFacts(plan.options, localUser: context.user.name)
        memory =
            facts.isEC2
            ? LoginMemory(environment: context.environment, home: context.user.home) : nil
        if facts.isEC2 {
            facts.table = try UserTable.load(userFile: Run.userTablePath(context))
            facts.remembered = memory?.recall(
                host: plan.options.hostname,
                port: plan.options.port,
                trace: context.trace
            )
        }
    }

    private static func userTablePath(_ context: Context) -> String {
        let base = context.environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? context.user.home + "/.config") + "/ec2sh/users.json"
    }

    /// Logs in and does the task.
    /// - Returns: the exit status.
    /// - Throws: ``Stopped`` when no login is left to try; the fault that ended the work.
    public mutating func run() throws -> Int32 {
        var next: LoginAttempt?
        while true {
            let outcome: LoginOutcome
            let fault: any Error
            switch try attempt(next) {
            case .finished(let status): return status
            case .failed(let why, let error):
                outcome = why
                fault = error
            }
            context.trace.debug(.debug1, .auth, "attempt ended: \(outcome)")
            switch Strategy.next(after: outcome, facts: facts) {
            case .attempt(let login): next = login
            case .again(let pause):
                facts.retries += 1
                try wait(pause)
            case .stop(let stop):
                throw Stopped(fault: fault, stop: stop)
            }
        }
    }

    /// How one connection went.
    private enum Result {
        case finished(Int32)
        case failed(LoginOutcome, any Error)
    }

    private mutating func attempt(_ login: LoginAttempt?) throws -> Result {
        let connector = Connector(context: context)
        let connection: Connection
        do {
            connection = try connector.open(plan)
        } catch {
            return .failed(LoginOutcome(error), error)
        }
        facts.banner = connection.session.serverIdentification
        let login = login ?? Strategy.first(facts)
        facts.attempts.append(login)
        do {
            let success = try connector.logIn(connection, plan(for: login), login)
            if login.purpose == .login { remember(success) }
        } catch {
            connection.close()
            if let refusal = error as? LoginRefused { facts.offeredKeys += refusal.offeredKeys }
            return .failed(LoginOutcome(error), error)
        }
        if login.purpose == .askForUser {
            defer { connection.close() }
            return try ask(connection)
        }
        return try work(connection)
    }

    /// Nobody is asked for the password of a user who is a guess of ours.
    private func plan(for login: LoginAttempt) -> Plan {
        guard facts.isEC2, login.user != facts.givenUser else { return plan }
        var plan = plan
        if !plan.options.isSet(.passwordAuthentication) {
            plan.options.passwordAuthentication = false
        }
        if !plan.options.isSet(.kbdInteractiveAuthentication) {
            plan.options.kbdInteractiveAuthentication = false
        }
        return plan
    }

    /// Runs the task; a guessed user may turn out to be the wrong one only now.
    private mutating func work(_ connection: Connection) throws -> Result {
        let mayRedirect = facts.isEC2 && facts.givenUser == nil
        let watch = mayRedirect ? UserHintWatch() : nil
        let status = try Work(
            context: context,
            plan: plan,
            connection: connection,
            hintWatch: watch
        ).run()
        connection.close()
        if let user = watch?.user {
            return .failed(.redirected(user: user), WrongUser(user: user))
        }
        return .finished(status)
    }

    /// Keeps what let us into an instance, so that the next run need not search.
    private func remember(_ login: RememberedLogin) {
        memory?.remember(
            login,
            host: plan.options.hostname,
            port: plan.options.port,
            trace: context.trace
        )
    }

    /// Reads who the right user is from a login that is there for that alone.
    private func ask(_ connection: Connection) throws -> Result {
        let answer = try UserQuestion(connection, in: context).ask()
        guard let user = answer else { return .failed(.openedWhileAsking, WrongUser(user: "root")) }
        return .failed(.redirected(user: user), WrongUser(user: user))
    }

    private func wait(_ pause: Duration) throws {
        let end = readClock() + pause
        context.trace.debug(.debug1, .network, "trying again in \(pause)")
        let never: Attempt<Void> = .again
        _ = try context.poller.wait(until: end) { never }
    }
}

/// The server lets this user in only to be told of another.
struct WrongUser: Fault {
    let user: String
    var layer: Layer { .auth }
    var summary: String { "the server says that the user to log in as is \(user)" }
}

/// No login is left to try: the last fault, and what the strategy has to say about it.
public struct Stopped: Fault {
    /// What the last attempt ended with.
    public let fault: any Error
    let stop: Strategy.Stop

    private var inner: (any Fault)? { fault as? any Fault }
    /// The fault's.
    public var layer: Layer { inner?.layer ?? .local }
    /// The fault's.
    public var summary: String { inner?.summary ?? "\(fault)" }
    /// What was tried, after the fault's own words.
    public var words: [String]? {
        guard let tried = stop.tried else { return inner?.words }
        return (inner?.words ?? ["ec2sh: error: \(summary)"]) + ["ec2sh: \(tried)"]
    }
    /// The strategy's remedy, else the fault's.
    public var hint: Hint? { stop.hint ?? inner?.hint }
    /// The fault's.
    public var cause: (any Error)? { inner?.cause }
}
