internal import EC2
public import Faults
internal import SSHConfig
internal import Ways

/// Decides what is tried next: values in, a value out, and no input or output.
///
/// A plain host is tried once, as ssh does. For an instance the rules are: a user the caller gave
/// is never changed unless EC2UserFallback is yes; at most three names in one run, one connection
/// each, since sshd 9.8 and fail2ban punish guesses; a host key in doubt ends everything.
public enum Strategy {
    /// What is to be done now.
    public enum Step: Sendable, Equatable {
        /// Connect anew and log in so.
        case attempt(LoginAttempt)
        /// Connect anew after a while, and go on with the same login.
        case again(after: Duration)
        /// Do without sshd: the agent of Systems Manager gives a shell.
        case shell
        /// Give up.
        case stop(Stop)
    }

    /// What can be said besides the error itself; nothing for a plain host.
    public struct Stop: Sendable, Equatable {
        /// One sentence on what was tried, lower case, no full stop.
        public var tried: String?
        /// What the user can do.
        public var hint: Hint?

        /// Nothing is said.
        public static let silently = Stop()
    }

    /// The first login on a connection whose banner is known.
    /// - Parameter facts: with ``LoginFacts/banner`` set for an instance.
    /// - Returns: the caller's user; for an instance without one, the likeliest name.
    public static func first(_ facts: LoginFacts) -> LoginAttempt {
        var first = candidates(facts).first ?? LoginAttempt(facts.givenUser ?? facts.localUser)
        if facts.pushKey == .yes && facts.canPush {
            first.purpose = .login
            first.keys = .pushed
        }
        return first
    }

    /// Whether sshd is not asked at all: the ports are reached by Systems Manager alone.
    /// - Parameter facts: what is known before the first connection.
    /// - Returns: true when only ports are wanted, and no way but Systems Manager is allowed.
    static func needsNoServer(_ facts: LoginFacts) -> Bool {
        facts.isEC2 && facts.agent.wish == .ports && facts.ways == [.ssm]
    }

    /// The ways that are tried now.
    ///
    /// An address that refuses a connection is reached: where that is tried again, an endpoint would
    /// only be one more tunnel to the same port.
    /// - Parameter facts: with ``LoginFacts/lostWays`` of the time before.
    /// - Returns: some of EC2Ways, in its order.
    static func ways(_ facts: LoginFacts) -> [WayName] {
        let isReached = facts.retries > 0 && facts.lostWays[.direct] == .refused
        return facts.ways.filter { !(isReached && $0 == .endpoint) }
    }

    /// The next step after one that failed.
    /// - Parameters:
    ///   - outcome: how it failed.
    ///   - facts: everything known, ``LoginFacts/attempts`` included.
    /// - Returns: what to do.
    public static func next(after outcome: LoginOutcome, facts: LoginFacts) -> Step {
        guard facts.isEC2 else { return .stop(.silently) }
        switch outcome {
        case .hostKeyRefused, .keyFilesUnusable, .other: return stop(outcome, facts)
        case .nameNotFound, .noAnswer: return shell(facts) ?? stop(outcome, facts)
        case .notRunning(let state):
            let isStarting = state == "pending" && mayWait(facts)
            return isStarting ? .again(after: .seconds(3)) : stop(outcome, facts)
        case .connectionRefused, .closedBeforeBanner, .notSSH:
            return waitForStart(facts) ?? shell(facts) ?? stop(outcome, facts)
        case .penalized:
            // Only a penalty that our own names have brought about is waited for, and once.
            let isOurs = facts.attempts.count > 1 && facts.retries == 0 && facts.isPatient
            return isOurs ? .again(after: penalty) : stop(outcome, facts)
        case .redirected(let user):
            return redirect(to: user, outcome, facts)
        case .openedWhileAsking:
            return .attempt(withSameKeys(LoginAttempt(lastUser(facts)), facts))
        case .tooManyFailures:
            return withOneKey(facts) ?? nextUser(outcome, facts)
        case .keyRefused:
            return pushKey(facts) ?? nextUser(outcome, facts)
        case .pushFailed:
            return nextUser(outcome, facts)
        }
    }

    // MARK: - Names

    /// The names that may be tried, the likeliest first.
    static func candidates(_ facts: LoginFacts) -> [LoginAttempt] {
        guard facts.isEC2 else { return [LoginAttempt(facts.givenUser ?? facts.localUser)] }
        var names: [LoginAttempt] = []
        func add(_ attempt: LoginAttempt?) {
            guard let attempt, !attempt.user.isEmpty else { return }
            if !names.contains(where: { $0.user == attempt.user }) { names.append(attempt) }
        }

        add(facts.givenUser.map { LoginAttempt($0) })
        guard mayGuess(facts) else {
            if names.isEmpty { add(LoginAttempt(facts.localUser)) }
            return names
        }
        let remembered = facts.remembered.map { LoginAttempt($0.user) }
        if !facts.configuredUsers.isEmpty {
            let isListed = facts.configuredUsers.contains(facts.remembered?.user ?? "")
            if isListed { add(remembered) }
            facts.configuredUsers.forEach { add(LoginAttempt($0)) }
            return Array(names.prefix(mostNames))
        }
        add(remembered)
        // People have their own accounts on machines of their own.
        if facts.isManaged { add(LoginAttempt(facts.localUser)) }
        // What the image says is no guess.
        facts.imageUsers.forEach { add(LoginAttempt($0)) }
        let guesses = facts.table.users(banner: facts.banner)
        add(guesses.first.map { LoginAttempt($0) })
        // Who gets in as root is told the right name, which no list can do.
        if facts.mayAskRoot && !guesses.isEmpty {
            add(LoginAttempt("root", .askForUser))
        } else {
            guesses.prefix(2).forEach { add(LoginAttempt($0)) }
        }
        // What ssh would have tried; a host where it works with ssh must work with us.
        if facts.givenUser == nil { add(LoginAttempt(facts.localUser)) }
        guesses.forEach { add(LoginAttempt($0)) }
        return Array(names.prefix(mostNames))
    }

    private static func mayGuess(_ facts: LoginFacts) -> Bool {
        switch facts.fallback {
        case .no: false
        case .yes: true
        case .auto: facts.givenUser == nil
        }
    }

    private static func triedUsers(_ facts: LoginFacts) -> [String] {
        unique(facts.attempts.map(\.user))
    }

    private static func lastUser(_ facts: LoginFacts) -> String {
        facts.attempts.last?.user ?? facts.givenUser ?? facts.localUser
    }

    // MARK: - Steps

    private static func nextUser(_ outcome: LoginOutcome, _ facts: LoginFacts) -> Step {
        let tried = triedUsers(facts)
        let next = candidates(facts).first { !tried.contains($0.user) }
        guard let next, tried.count < mostNames else { return stop(outcome, facts) }
        return .attempt(withSameKeys(next, facts))
    }

    private static func redirect(
        to user: String,
        _ outcome: LoginOutcome,
        _ facts: LoginFacts
    ) -> Step {
        let tried = triedUsers(facts)
        if tried.contains(user) { return nextUser(.keyRefused, facts) }
        guard mayGuess(facts), tried.count < mostNames else { return stop(outcome, facts) }
        return .attempt(withSameKeys(LoginAttempt(user), facts))
    }

    /// The same login with a key that AWS lets in: when the user is certain, or no other is left.
    private static func pushKey(_ facts: LoginFacts) -> Step? {
        guard facts.pushKey != .no, facts.canPush, facts.takesKeys, let last = facts.attempts.last,
            last.purpose == .login
        else { return nil }
        let tried = triedUsers(facts)
        let isCertain =
            facts.givenUser != nil || facts.imageUsers.contains(last.user)
            || facts.remembered?.user == last.user
        let isLast =
            tried.count >= mostNames || !candidates(facts).contains { !tried.contains($0.user) }
        guard isCertain || isLast, let user = isCertain ? last.user : tried.first else {
            return nil
        }
        let attempt = LoginAttempt(user, keys: .pushed)
        return facts.attempts.contains(attempt) ? nil : .attempt(attempt)
    }

    /// The same login with one key in place of many.
    private static func withOneKey(_ facts: LoginFacts) -> Step? {
        guard let last = facts.attempts.last, last.keys == .all else { return nil }
        if facts.keyPair?.place != nil {
            return .attempt(LoginAttempt(last.user, last.purpose, keys: .pair))
        }
        let files = [facts.remembered?.keyPath].compactMap { $0 } + facts.keyFiles
        let unseen = files.first { !facts.offeredKeys.contains($0) } ?? files.first
        return unseen.map { path in
            .attempt(LoginAttempt(last.user, last.purpose, keys: .only(path: path)))
        }
    }

    private static func withSameKeys(
        _ attempt: LoginAttempt,
        _ facts: LoginFacts
    ) -> LoginAttempt {
        let keys = facts.attempts.last?.keys ?? .all
        return LoginAttempt(attempt.user, attempt.purpose, keys: keys == .pushed ? .all : keys)
    }

    /// An instance that starts is waited for; of any other we do not know that it will ever answer.
    private static func waitForStart(_ facts: LoginFacts) -> Step? {
        guard facts.isStarting == true, mayWait(facts) else { return nil }
        return .again(after: .seconds(min(1 << facts.retries, 8)))
    }

    private static func mayWait(_ facts: LoginFacts) -> Bool {
        facts.isPatient && facts.retries < mostRetries
    }

    /// A shell without sshd, for a person at a terminal, when nobody has answered as sshd yet and
    /// the agent may be there.
    private static func shell(_ facts: LoginFacts) -> Step? {
        guard facts.agent.instance != nil, facts.attempts.isEmpty, facts.ways.contains(.ssm)
        else { return nil }
        switch facts.lostWays[.ssm] {
        case .notOffered?, .timedOut?, .notRunning?: return nil
        default: break
        }
        switch (facts.agent.wish, facts.agent.fallback) {
        case (.shell, .auto), (.shell, .yes), (.command, .yes): return .shell
        default: return nil
        }
    }

    private static func stop(_ outcome: LoginOutcome, _ facts: LoginFacts) -> Step {
        let users = triedUsers(facts)
        let isAboutUsers =
            outcome == .keyRefused || outcome == .tooManyFailures || outcome == .pushFailed
        var stop = Stop(hint: StrategyHints.hint(after: outcome, facts, triedUsers: users))
        if isAboutUsers && !users.isEmpty {
            // Each name is offered the same keys.
            let offered = unique(facts.offeredKeys)
            let keys = offered.isEmpty ? "no key" : list(offered, "and")
            let push = facts.pushFailure.map { "; no key could be pushed: \($0)" } ?? ""
            stop.tried = "tried as \(list(users, "and")) with \(keys)\(push)"
        } else if !facts.otherWays.isEmpty {
            stop.tried = "also tried \(facts.otherWays.joined(separator: ", "))"
        }
        return .stop(stop)
    }

    /// In one run (DESIGN: sshd's PerSourcePenalties refuse a source after about three failures).
    private static let mostNames = 3
    /// With pauses of 1, 2, 4 and then 8 s this is about four minutes, an ordinary start.
    private static let mostRetries = 30
    /// sshd's least penalty that is enforced, `min:15`, and a second (sshd_config(5)).
    private static let penalty = Duration.seconds(16)
}

/// Leaves out what was there before.
private func unique(_ words: [String]) -> [String] {
    words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}

/// Puts words together as people do: `a, b and c`.
func list(_ words: [String], _ last: String) -> String {
    guard let end = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) \(end)"
}
