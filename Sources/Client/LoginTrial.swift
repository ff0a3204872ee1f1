internal import EC2
public import Faults
internal import Posix
internal import SSH
public import SSHConfig
internal import Ways

/// A login that is made to see how it ends, and that is closed as soon as it is made.
///
/// It is the login of `ec2sh HOST` in all things that decide about it: the same configuration, ways,
/// users, keys, strategy. But nobody is asked anything, nothing is waited for that only time brings,
/// and no file of the user's is changed.
public struct LoginTrial: Sendable {
    /// What let us in.
    public struct Success: Sendable {
        /// The remote user.
        public let user: String
        /// The way; nil for a plain host's.
        public let way: WayName?
        /// The key's file; nil when it was no file's.
        public let key: String?
    }

    /// What kept us out.
    public struct Failure: Sendable {
        /// How it ended.
        public let outcome: LoginOutcome
        /// What was seen: one line.
        public let summary: String
        /// Whom we tried to log in as with what, in one sentence.
        public let tried: String?
        /// What the strategy would have the user do.
        public let hint: Hint?
        /// Why AWS let no key of ours in for a minute.
        public let pushFailure: String?
    }

    /// How a way ended that led nowhere.
    public struct Loss: Sendable {
        /// What was seen.
        public let summary: String
        /// What mends it.
        public let hint: Hint?
    }

    /// What let us in; nil when we were kept out.
    public let success: Success?
    /// What kept us out; nil when we were let in.
    public let failure: Failure?
    /// The server's first line; nil when it never came so far.
    public let banner: String?
    /// The ways that were tried in vain.
    public let losses: [WayName: Loss]
    /// What the command that was to be run has said on standard output; nil when none was run.
    public let answer: [UInt8]?
    /// Whether the target was treated as an instance of EC2.
    public let isInstance: Bool
    /// What a login would have said.
    public let lines: [String]

    /// Tries.
    /// - Parameters:
    ///   - context: the run's.
    ///   - ways: those of EC2Ways that are tried.
    ///   - patience: seconds until an address must answer, if ConnectTimeout does not say less.
    ///   - command: what is run once logged in; nil runs nothing.
    /// - Throws: what is wrong with the user's own files.
    public init(
        in context: Context,
        ways: [WayName],
        patience: Int,
        running command: String? = nil
    ) throws {
        var configuration = context.configuration
        configuration.options.tryOnly(ways, patience)
        let said = Lines()
        let inner = Context(
            poller: context.poller,
            trace: Trace(level: .info) { said.lines.append($0) },
            prompter: context.prompter,
            environment: context.environment,
            user: context.user,
            configuration: configuration
        )
        var search = try LoginSearch(try Plan(configuration), in: inner, isPatient: false)
        defer { search.end() }
        do {
            let connection = try search.connect()
            banner = connection.session.serverIdentification
            answer = command.flatMap {
                try? connection.output(of: $0, in: inner, within: LoginTrial.commandLimit)
            }
            connection.close()
            let last = search.facts.attempts.last
            success = Success(
                user: last?.user ?? configuration.options.user,
                way: search.plan.whereabouts?.way,
                key: search.entrance?.keyPath
            )
            failure = nil
        } catch {
            let stopped = error as? Stopped
            success = nil
            answer = nil
            banner = search.facts.banner
            failure = Failure(
                outcome: LoginOutcome(stopped?.fault ?? error),
                summary: (error as? any Fault)?.summary ?? "\(error)",
                tried: stopped?.stop.tried,
                hint: (error as? any Fault)?.hint,
                pushFailure: search.facts.pushFailure
            )
        }
        losses = (search.plan.whereabouts?.losses ?? [:]).mapValues { error in
            Loss(summary: error.summary, hint: error.hint)
        }
        isInstance = search.isInstance
        lines = said.lines
    }
}

extension LoginTrial {
    /// A machine that is out of memory answers late, or not at all.
    fileprivate static let commandLimit = Duration.seconds(5)
}

/// Takes lines down.
private final class Lines {
    var lines: [String] = []
}

extension Options {
    /// Leaves what decides about a login, and takes away what would ask or change something.
    fileprivate mutating func tryOnly(_ ways: [WayName], _ patience: Int) {
        ec2Ways = ways
        connectTimeout = min(connectTimeout ?? patience, patience)
        given.insert(.connectTimeout)
        connectionAttempts = 1
        batchMode = true
        ec2FixKeyPermissions = false
        addKeysToAgent = AddKeysToAgent(.no)
        controlMaster = .no
        controlPath = nil
        // New keys are written down in the first.
        userKnownHostsFile = ["/dev/null"] + userKnownHostsFile
    }
}
