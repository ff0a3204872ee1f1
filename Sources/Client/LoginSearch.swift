internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// The search for a login on one host: connection after connection, as the strategy says.
///
/// The target of a run has one, and so has each jump on the way to it.
struct LoginSearch {
    let plan: Plan
    private let context: Context
    private let memory: LoginMemory?
    private var facts: LoginFacts
    private var next: LoginAttempt?

    /// Prepares a search; nothing is tried yet.
    /// - Parameters:
    ///   - plan: the host, and how to get there.
    ///   - context: what the run shares.
    /// - Throws: ``EC2/UserTableError`` when the user's own table of names is damaged.
    init(_ plan: Plan, in context: Context) throws {
        self.plan = plan
        self.context = context
        facts = LoginFacts(plan.options, localUser: context.user.name)
        memory =
            facts.isEC2
            ? LoginMemory(environment: context.environment, home: context.user.home) : nil
        if facts.isEC2 {
            facts.table = try UserTable.load(userFile: LoginSearch.userTablePath(context))
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

    /// Whether the user is a guess, of which the server may say later that it was wrong.
    var isGuessing: Bool { facts.isEC2 && facts.givenUser == nil }

    /// Tries until a login works.
    /// - Returns: the logged-in connection.
    /// - Throws: ``Stopped`` when no login is left to try.
    mutating func connect() throws -> Connection {
        while true {
            do {
                switch try attempt() {
                case .loggedIn(let connection): return connection
                case .answered(let outcome, let fault): try decide(after: outcome, fault)
                }
            } catch let stopped as Stopped {
                throw stopped
            } catch {
                try decide(after: LoginOutcome(error), error)
            }
        }
    }

    /// Takes the server's word, given in the session, that another user is meant.
    /// - Throws: ``Stopped`` when that one is not to be tried.
    mutating func redirect(to user: String) throws {
        try decide(after: .redirected(user: user), WrongUser(user: user))
    }

    private mutating func decide(after outcome: LoginOutcome, _ fault: any Error) throws {
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

    private enum Result {
        case loggedIn(Connection)
        /// The login was only there to ask, and this came of it.
        case answered(LoginOutcome, WrongUser)
    }

    private mutating func attempt() throws -> Result {
        let connector = Connector(context: context)
        let connection = try connector.open(plan)
        do {
            facts.banner = connection.session.serverIdentification
            let login = next ?? Strategy.first(facts)
            facts.attempts.append(login)
            let success = try connector.logIn(connection, plan(for: login), login)
            if login.purpose == .login {
                remember(success)
                return .loggedIn(connection)
            }
            let answer = try ask(connection)
            connection.close()
            return answer
        } catch {
            connection.close()
            if let refusal = error as? LoginRefused { facts.offeredKeys += refusal.offeredKeys }
            throw error
        }
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
        guard let user = try UserQuestion(connection, in: context).ask() else {
            return .answered(.openedWhileAsking, WrongUser(user: "root"))
        }
        return .answered(.redirected(user: user), WrongUser(user: user))
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
