public import EC2
public import Faults
public import SSHConfig
internal import Ways

/// One login that is to be tried: one connection, one user name.
public struct LoginAttempt: Sendable, Equatable {
    /// What the login is for.
    public enum Purpose: Sendable, Equatable {
        /// The session the user wants.
        case login
        /// To read who the right user is, with `true` as the command: images let root in only to
        /// be told (``EC2/UserHint``). What the user wants is never run on it.
        case askForUser
    }

    /// The keys that are offered.
    public enum Keys: Sendable, Equatable {
        /// Those of the agent and of the files, in the order of the options.
        case all
        /// That of one file alone, so that a server's limit of tries is not met.
        case only(path: String)
        /// That of the instance's key pair alone, which was found on this machine.
        case pair
        /// One that was made for this login and pushed by EC2 Instance Connect.
        case pushed
    }

    /// The remote user.
    public var user: String
    /// What for.
    public var purpose = Purpose.login
    /// With which keys.
    public var keys = Keys.all

    /// Describes a login that is to be tried.
    /// - Parameters:
    ///   - user: the remote user.
    ///   - purpose: what for.
    ///   - keys: with which keys.
    public init(_ user: String, _ purpose: Purpose = .login, keys: Keys = .all) {
        self.user = user
        self.purpose = purpose
        self.keys = keys
    }
}

/// How a try to log in ended, other than well.
public enum LoginOutcome: Sendable, Equatable {
    /// The name has no address.
    case nameNotFound
    /// No address answered in time, or there is no route.
    case noAnswer
    /// Every address refused the connection.
    case connectionRefused
    /// The connection was closed before the server said who it is.
    case closedBeforeBanner
    /// The first line was not SSH's.
    case notSSH
    /// The server takes no connections from us for a while, after failed logins (sshd 9.8's
    /// `Not allowed at this time`).
    case penalized
    /// The host key was not trusted.
    case hostKeyRefused(HostKeyRefusal)
    /// The server took none of our keys, and nothing else is left to offer.
    case keyRefused
    /// The server closed the connection after too many tries.
    case tooManyFailures
    /// The server has told, as a banner or in the session, who the right user is.
    case redirected(user: String)
    /// A login that was only to ask for the user has found an account that works.
    case openedWhileAsking
    /// EC2 Instance Connect has not taken a key for us.
    case pushFailed
    /// The instance does not run; AWS's word for what it does.
    case notRunning(state: String)
    /// The key files there are cannot be used; the words about them have been said.
    case keyFilesUnusable
    /// Whatever no other login would mend.
    case other
}

/// What was found out about the key pair that an instance was launched with.
public struct KeyPairFacts: Sendable, Equatable {
    /// Its name; nil when the instance was launched without one.
    public var name: String?
    /// Where its private key is, as people know it; nil when it is not on this machine.
    public var place: String?
    /// Where it was looked for: directories, and the agent; empty when IdentitiesOnly forbids it.
    public var searched: [String] = []
    /// Files that bear the pair's name and hold another key.
    public var impostors: [String] = []

    /// Begins with the name.
    /// - Parameter name: nil when the instance was launched without a pair.
    public init(name: String?) { self.name = name }
}

/// All that a decision about the next login rests on.
public struct LoginFacts: Sendable {
    /// The destination as typed, for hints.
    public var host: String
    /// Whether the target is treated as an instance of EC2 (``isInstance(_:)``).
    public var isEC2 = false
    /// What the name says.
    public var name: EC2Name?
    /// The user the caller gave, on the command line or in a file; never changed unless
    /// ``fallback`` is yes.
    public var givenUser: String?
    /// The user on this machine.
    public var localUser: String
    /// EC2UserFallback.
    public var fallback = AutoYesNo.auto
    /// EC2Users.
    public var configuredUsers: [String] = []
    /// What worked the last time.
    public var remembered: RememberedLogin?
    /// The server's first line, once there is one.
    public var banner: String?
    /// The names of images and banners; needed for instances alone.
    public var table = UserTable()
    /// The names that the instance's image lets in; empty when nobody knows.
    public var imageUsers: [String] = []
    /// EC2PushKey.
    public var pushKey = AutoYesNo.auto
    /// Whether it is a machine of Systems Manager's that is not EC2's: it has accounts of its own.
    public var isManaged = false
    /// Whether EC2 Instance Connect can be asked to let a key in.
    public var canPush = false
    /// Whether the server would take a key, as far as it has said.
    public var takesKeys = true
    /// How the ways ended that were tried besides the first, as in `through … (why)`.
    public var otherWays: [String] = []
    /// What the last of those ways has to say about a remedy.
    public var otherHint: Hint?
    /// Why no key was pushed.
    public var pushFailure: String?
    /// Whether a login as root may be used to ask for the right user.
    public var mayAskRoot = true
    /// Whether the instance is known to be starting; nil when nobody knows.
    public var isStarting: Bool?
    /// Key files the caller has named, in order.
    public var keyFiles: [String] = []
    /// What is known of the instance's key pair; nil when nobody has looked.
    public var keyPair: KeyPairFacts?
    /// Keys that were offered, as people know them: a path, or a comment in an agent.
    public var offeredKeys: [String] = []
    /// The logins tried so far, the last one included.
    public var attempts: [LoginAttempt] = []
    /// Whether an instance that starts, or a server's penalty, is waited for.
    var isPatient = true
    /// How often the connection was tried again on our own, for any reason.
    public var retries = 0
    /// EC2Ways.
    var ways: [WayName] = []
    /// How the ways ended that were tried last and led nowhere.
    var lostWays: [WayName: WayError.Outcome] = [:]
    /// What Systems Manager could do in the place of sshd.
    var agent = AgentFacts()

    /// Begins with what is known before the first connection.
    /// - Parameters:
    ///   - options: the options of the run.
    ///   - localUser: the user on this machine.
    public init(_ options: Options, localUser: String) {
        host = options.host
        isEC2 = LoginFacts.isInstance(options)
        name = EC2Name(options.hostname) ?? EC2Name(options.host)
        givenUser = options.isSet(.user) ? options.user : nil
        self.localUser = localUser
        fallback = options.ec2UserFallback
        configuredUsers = options.ec2Users
        pushKey = options.ec2PushKey
        keyFiles = options.isSet(.identityFile) ? options.identityFile : []
        ways = options.ec2Ways
        agent.fallback = options.ec2ShellFallback
    }

    /// Whether a target is treated as an instance: EC2Host's word, else EC2Instance's, else the
    /// name's.
    /// - Parameter options: the options of the run.
    /// - Returns: false for a plain host, for which nothing differs from ssh.
    public static func isInstance(_ options: Options) -> Bool {
        switch options.ec2Host {
        case .yes: true
        case .no: false
        case .auto:
            options.ec2Instance != nil || EC2Name(options.host) != nil
                || EC2Name(options.hostname) != nil
        }
    }
}
