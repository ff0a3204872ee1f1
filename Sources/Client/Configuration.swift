public import Arguments
public import SSHConfig

/// What one run is to do: the command line and the configuration, made one.
///
/// ``init(_:program:trace:version:)`` reads everything. Values that are expanded late are expanded
/// by ``tokens`` with ``environment``.
public struct Configuration {
    /// What a running master is told. `-O`
    public enum ControlCommand: String, Sendable {
        /// Is it alive?
        case check
        /// Add forwards.
        case forward
        /// End at once.
        case exit
        /// Take no more clients.
        case stop
        /// Take forwards back.
        case cancel
        /// Speak SSH through it.
        case proxy
    }

    /// What was typed.
    public var invocation: Invocation
    /// What it means, every option filled in.
    public var options: Options
    /// What `%` stands for in values expanded late.
    public var tokens: Tokens
    /// Answers for values expanded late: variables and homes.
    public var environment: ConfigEnvironment
    /// The command or subsystem to run, empty for a shell; see ``LosslessText`` for its bytes.
    public var command: String
    /// Whether a terminal is asked for.
    public var wantsTerminal: Bool
    /// What a running master is told.
    public var controlCommand: ControlCommand?
    /// The value of `-F`.
    public var configurationFile: String?
    /// How often `-v` was given, up to three times.
    public var verbosity: Int
}

/// What a command line asks for.
public enum Request {
    /// An answer to print, and nothing else: `-V` to standard error, `-Q` and `-G` to output.
    case print(output: [UInt8], errors: [String])
    /// Work.
    case run(Configuration)
}
