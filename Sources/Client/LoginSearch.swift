internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Ways

/// The search for a login on one host: connection after connection, as the strategy says.
///
/// The target of a run has one, and so has each jump on the way to it.
struct LoginSearch {
    private(set) var plan: Plan
    private let context: Context
    private let memory: LoginMemory?
    private(set) var facts: LoginFacts
    private var next: LoginAttempt?
    /// Looks for the key of the instance's key pair.
    private var pairKey: PairKeySearch?
    /// What the server said before a key was pushed in vain.
    private var refusal: (any Error)?
    /// What let us in.
    private(set) var entrance: RememberedLogin?
    /// Whether AWS was asked about a host that is plain to all appearances.
    private var hasGuessed = false

    /// What a search has come to.
    enum Found {
        /// A login that works.
        case login(Connection)
        /// sshd is out of reach, and why; the agent is to give a shell.
        case shell(any Error)
        /// The agent is to connect to ports, and sshd is not asked; what was tried before.
        case ports(any Error)
    }

    /// Prepares a search; nothing is tried yet.
    /// - Parameters:
    ///   - plan: the host, and how to get there.
    ///   - context: what the run shares.
    ///   - wish: what the agent of Systems Manager could do in the place of sshd.
    ///   - isPatient: whether an instance that starts, or a server's penalty, is waited for.
    /// - Throws: ``EC2/UserTableError`` when the user's own table of names is damaged.
    init(
        _ plan: Plan,
        in context: Context,
        wish: AgentFacts.Wish = .other,
        isPatient: Bool = true
    ) throws {
        self.plan = plan
        self.context = context
        if Whereabouts.isKnownAddress(plan, in: context) { self.plan.options.becomeInstance() }
        facts = LoginFacts(self.plan.options, localUser: context.user.name)
        facts.agent.wish = wish
        facts.isPatient = isPatient
        memory =
            facts.isEC2
            ? LoginMemory(environment: context.environment, home: context.user.home) : nil
        if facts.isEC2 {
            facts.table = try UserTable.load(userFile: context.userTablePath)
            facts.remembered = memory?.recall(
                host: plan.options.hostname,
                port: plan.options.port,
                trace: context.trace
            )
            try adopt(try Whereabouts.of(self.plan, table: facts.table, in: context))
        }
    }

    /// Takes in what is known of the instance; what is needed and not known is asked for beside the
    /// first connection.
    private mutating func adopt(_ whereabouts: Whereabouts?) throws {
        plan.whereabouts = whereabouts
        plan.rememberedWay = WayName.words.first { $0.word == facts.remembered?.way }?.value
        facts.isManaged = whereabouts?.isManaged ?? false
        facts.canPush = whereabouts != nil && !facts.isManaged
        pairKey = PairKeySearch(plan, in: context)
        guard let whereabouts, needsImage, whereabouts.cloud.hasSigns else { return }
        try whereabouts.begin()
    }

    /// Whether the image is the best there is to tell the user by: a banner may say enough.
    private var needsImage: Bool {
        facts.givenUser == nil && facts.configuredUsers.isEmpty && facts.remembered == nil
            && facts.imageUsers.isEmpty && !facts.isManaged
            && facts.banner.map { facts.table.users(banner: $0).count != 1 } ?? true
    }

    /// Whether the target is treated as an instance of EC2.
    var isInstance: Bool { facts.isEC2 }

    /// Whether the user is a guess, of which the server may say later that it was wrong.
    var isGuessing: Bool { facts.isEC2 && facts.givenUser == nil }

    /// Tries until a login works, or something else is to be done.
    /// - Returns: what it has come to.
    /// - Throws: ``Stopped`` when no login is left to try.
    mutating func find() throws -> Found {
        while true {
            let (outcome, fault): (LoginOutcome, any Error)
            do {
                switch try attempt() {
                case .loggedIn(let connection): return .login(connection)
                case .answered(let answer, let user): (outcome, fault) = (answer, user)
                }
            } catch {
                (outcome, fault) = (LoginOutcome(error), error)
            }
            switch try decide(after: outcome, fault) {
            case .goOn: break
            case .shell: return .shell(fault)
            case .ports: return .ports(fault)
            }
        }
    }

    /// Tries until a login works.
    /// - Returns: the logged-in connection.
    /// - Throws: ``Stopped`` when no login is left to try.
    mutating func connect() throws -> Connection {
        switch try find() {
        case .login(let connection): return connection
        // Nobody has wished for these.
        case .shell(let fault), .ports(let fault): throw Stopped(fault: fault, stop: .silently)
        }
    }

    /// Repeats the login that worked, once: as the same user, with the same keys, on the same server.
    ///
    /// Nobody is asked for anything: what was typed for the first login is not kept.
    /// - Parameters:
    ///   - server: what was verified then.
    ///   - asksAgain: whether to look up anew where the instance is.
    /// - Returns: the logged-in connection.
    /// - Throws: how the try ended.
    mutating func connectAgain(to server: VerifiedServer, asksAgain: Bool) throws -> Connection {
        plan.knownServer = server
        askNobody()
        facts.attempts = []
        facts.offeredKeys = []
        if asksAgain { try plan.whereabouts?.askAgain() }
        guard case .loggedIn(let connection) = try attempt() else {
            preconditionFailure("a login that only asks is never the one that worked")
        }
        return connection
    }

    /// Whoever would have to be asked something is not.
    mutating func askNobody() { plan.options.batchMode = true }

    /// Gives back what all tries have in common; no connection is used any more.
    func end() { plan.whereabouts?.sharing.end() }

    /// Finds the way in, and goes no further.
    /// - Returns: the descriptor that leads to the server.
    /// - Throws: ``Stopped`` when no way is left to try.
    mutating func reach() throws -> Reached {
        while true {
            do {
                return try Reach(context: context).open(plan)
            } catch {
                _ = try decide(after: LoginOutcome(error), error)
            }
        }
    }

    /// Takes the server's word, given in the session, that another user is meant.
    /// - Throws: ``Stopped`` when that one is not to be tried.
    mutating func redirect(to user: String) throws {
        _ = try decide(after: .redirected(user: user), WrongUser(user: user))
    }

    /// What comes after a decision.
    private enum Course {
        case goOn
        case shell
        case ports
    }

    private mutating func decide(
        after outcome: LoginOutcome,
        _ fault: any Error
    ) throws -> Course {
        context.trace.debug(.debug1, .auth, "attempt ended: \(outcome)")
        if try isInstanceAfterAll(outcome) {
            // What has asked AWS has threads, which do not go through a fork.
            let mayFork = plan.options.forkAfterAuthentication
            return Strategy.needsNoServer(facts) && !mayFork ? .ports : .goOn
        }
        if try isOldNews(outcome) { return .goOn }
        try note(fault)
        if outcome == .tooManyFailures { try pairKey?.search() }
        facts.keyPair = pairKey?.facts
        switch Strategy.next(after: outcome, facts: facts) {
        case .attempt(let login): next = login
        case .shell: return .shell
        case .again(let pause):
            if facts.retries == 0, case .notRunning(let state) = outcome {
                let host = facts.host
                context.trace.say(.info, "ec2sh: \(host) is \(state); waiting until it runs")
            }
            if facts.retries == 0, outcome == .connectionRefused, facts.isStarting == true {
                let host = facts.host
                context.trace.say(.info, "ec2sh: \(host) has just been started; waiting for sshd")
            }
            facts.retries += 1
            plan.ways = Strategy.ways(facts)
            plan.whereabouts?.sharing.note(facts.lostWays[.ssm])
            try wait(pause)
            if case .notRunning = outcome { try plan.whereabouts?.askAgain() }
        case .stop(let stop):
            throw Stopped(fault: outcome == .pushFailed ? refusal ?? fault : fault, stop: stop)
        }
        return .goOn
    }

    /// Keeps what a fault tells besides how the attempt ended.
    private mutating func note(_ fault: any Error) throws {
        switch fault {
        case let error as WayError:
            facts.otherWays = error.otherWays
            facts.otherHint = error.others.last { $0.error.hint != nil }?.error.hint ?? error.hint
        case let error as KeyPushFailed:
            facts.pushFailure = error.summary
        case let error as LoginRefused:
            refusal = fault
            facts.takesKeys = error.methods.contains(LoginMethod.publicKey.rawValue)
        default:
            break
        }
        facts.lostWays = plan.whereabouts?.losses.mapValues(\.outcome) ?? [:]
        facts.agent.instance = plan.whereabouts?.known?.instance.id
        facts.isStarting = plan.whereabouts?.known?.isStarting(now: currentTimestamp())
    }

    /// Where nobody answers and what is known of the instance is old, AWS is asked once more: it may
    /// have been stopped since, or have another address.
    private mutating func isOldNews(_ outcome: LoginOutcome) throws -> Bool {
        guard [.noAnswer, .connectionRefused, .closedBeforeBanner].contains(outcome),
            let whereabouts = plan.whereabouts, whereabouts.isRemembered,
            let before = whereabouts.known
        else { return false }
        let now: KnownInstance
        do {
            try whereabouts.askAgain()
            let limit = readClock() + LoginSearch.newsLimit
            let found = try context.poller.wait(about: whereabouts, until: limit) {
                try whereabouts.progress()
            }
            guard let found else { return false }
            now = found
        } catch let fault as InstanceLookupError where fault.isGone {
            throw Stopped(fault: fault, stop: .silently)
        } catch let fault as any Fault {
            context.trace.debug(.debug1, .aws, fault.summary)
            return false
        }
        if now.instance.state != .running {
            let state = now.instance.state.rawValue
            _ = try decide(after: .notRunning(state: state), WayError(notRunning: now))
            return true
        }
        let isElsewhere = now.address != before.address
        if isElsewhere {
            context.trace.debug(.debug1, .aws, "\(now.instance.id) has another address now")
        }
        return isElsewhere
    }

    /// A plain host that nobody knows or that does not answer may be an instance: AWS is asked once,
    /// if something on this machine looks like credentials.
    private mutating func isInstanceAfterAll(_ outcome: LoginOutcome) throws -> Bool {
        guard !facts.isEC2, !hasGuessed, outcome == .nameNotFound || outcome == .noAnswer else {
            return false
        }
        hasGuessed = true
        let table = try UserTable.load(userFile: context.userTablePath)
        guard let whereabouts = try Whereabouts.guess(plan, table: table, in: context) else {
            return false
        }
        do {
            try whereabouts.begin()
            let text = "asking AWS whether \(facts.host) is an instance"
            let found = try context.showing(text) {
                try context.poller.wait(
                    about: whereabouts,
                    until: readClock() + LoginSearch.guessLimit
                ) { try whereabouts.progress() }
            }
            guard let found else { return false }
            context.trace.debug(.debug1, .name, "\(facts.host) is \(found.instance.id)")
        } catch let fault as InstanceLookupError where fault.isAmbiguous {
            throw Stopped(fault: fault, stop: .silently)
        } catch let fault as any Fault {
            context.trace.debug(.debug1, .aws, fault.summary)
            return false
        }
        facts.isEC2 = true
        facts.table = table
        plan.options.becomeInstance()
        try adopt(whereabouts)
        return true
    }

    /// A host that is none of EC2's waits for this in vain: no longer than a login may take.
    private static let guessLimit = Duration.seconds(3)
    private static let newsLimit = Duration.seconds(5)

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
            // What the console has told, if the host key had to be proven, nobody else need be asked.
            let told = plan.whereabouts?.accounts?.users ?? []
            if !told.isEmpty { facts.imageUsers = told }
            if next == nil { try awaitImage() }
            let login = next ?? Strategy.first(facts)
            facts.attempts.append(login)
            let (whereabouts, context) = (plan.whereabouts, context)
            let success = try connector.logIn(
                connection,
                plan(for: login),
                login,
                remembered: facts.remembered,
                pairKey: pairKey
            ) { key in
                guard let whereabouts else { throw KeyPushFailed.noKey }
                try KeyPush(
                    whereabouts: whereabouts,
                    poller: context.poller,
                    trace: context.trace
                )(key, user: login.user)
            }
            if login.purpose == .login {
                remember(success)
                entrance = success
                next = login
                if plan.whereabouts?.way != .ssm { plan.whereabouts?.sharing.drop() }
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

    /// Waits a moment for what the image says of the user: a wrong name costs a whole connection.
    private mutating func awaitImage() throws {
        guard let whereabouts = plan.whereabouts, needsImage else { return }
        if whereabouts.known == nil, whereabouts.sources.isEmpty { return }
        try whereabouts.begin(withImages: true)
        let limit = readClock() + LoginSearch.imageLimit
        do {
            let known = try context.poller.wait(about: whereabouts, until: limit) {
                try whereabouts.imageProgress()
            }
            facts.imageUsers = known.flatMap { facts.table.users(of: $0) } ?? []
        } catch let fault as any Fault {
            context.trace.debug(.debug1, .aws, fault.summary)
        }
    }

    private static let imageLimit = Duration.seconds(2)

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
        var login = login
        login.way = plan.whereabouts?.way?.word
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

extension WayError {
    /// How the other ways ended, each reason once.
    fileprivate var otherWays: [String] {
        var reasons: [(text: String, names: [String])] = []
        for loss in others where loss.error.summary != summary {
            if let index = reasons.firstIndex(where: { $0.text == loss.error.summary }) {
                reasons[index].names.append(loss.name)
            } else {
                reasons.append((loss.error.summary, [loss.name]))
            }
        }
        return reasons.map { "\(list($0.names, "and")) (\($0.text))" }
    }
}

/// The server lets this user in only to be told of another.
struct WrongUser: Fault {
    let user: String
    var layer: Layer { .auth }
    var summary: String { "the server says that the user to log in as is \(user)" }
}
