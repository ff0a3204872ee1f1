public import SSHConfig

/// What one run is to do, decided from its options before anything is tried.
public struct Plan {
    /// What is done once logged in.
    public enum Task: Sendable, Equatable {
        /// The login shell.
        case shell
        /// A command for the login shell, as typed, words joined by blanks.
        case command([UInt8])
        /// A subsystem by name (RFC 4254 §6.5).
        case subsystem([UInt8])
        /// Nothing: the connection is held for its forwards (`-N`).
        case hold
        /// The standard streams are joined to a port seen from the server (`-W`).
        case forward(host: String, port: Int)
    }

    /// How the bytes get to the server's sshd.
    public enum Way: Sendable, Equatable {
        /// TCP from here.
        case direct
        /// Through a command's standard streams; its tokens are expanded.
        case proxyCommand(String)
        /// Through other servers, the nearest first.
        case jump([JumpHost])
    }

    /// The configuration.
    public var options: Options
    /// What to do.
    public var task: Task
    /// Whether the server is asked for a terminal.
    public var wantsTerminal: Bool
    /// How to get there.
    public var way: Way

    /// What `%` stands for in values that are expanded when they are used.
    public var tokens: Tokens
    /// Answers for those values: variables and homes.
    public var environment: ConfigEnvironment
    /// What is known of the instance, for a target on EC2 that is reached by ``Way/direct``.
    var whereabouts: Whereabouts?
    /// The way that worked the last time.
    var rememberedWay: WayName?
    /// The server, when a login to it is repeated after a break: no other is taken, and nobody is
    /// asked or told anything again.
    var knownServer: VerifiedServer?
    /// The ways that are tried, in this order.
    var ways: [WayName]
    /// LocalCommand with its tokens expanded.
    public var localCommand: String?

    /// Decides what to do.
    /// - Parameter configuration: the command line and the files, made one.
    /// - Throws: ``SSHConfig/ConfigurationFault`` for tokens that cannot be expanded.
    public init(_ configuration: Configuration) throws {
        options = configuration.options
        ways = options.ec2Ways
        tokens = configuration.tokens
        environment = configuration.environment
        wantsTerminal = configuration.wantsTerminal
        if !options.proxyJump.isEmpty {
            way = .jump(options.proxyJump)
        } else if let command = options.proxyCommand {
            way = .proxyCommand(try configuration.tokens.proxyCommand(command))
        } else {
            way = .direct
        }
        if let command = options.localCommand {
            localCommand = try configuration.tokens.localCommand(command)
        }
        let words = LosslessText.bytes(configuration.command)
        if let target = options.stdioForward {
            task = .forward(host: target.host, port: target.port)
        } else if options.sessionType == .none {
            task = .hold
        } else if options.sessionType == .subsystem {
            task = .subsystem(words)
        } else {
            task = words.isEmpty ? .shell : .command(words)
        }
    }
}
