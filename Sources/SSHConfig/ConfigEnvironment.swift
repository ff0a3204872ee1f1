public import Faults

/// Everything the configuration asks the system for, as functions, so that tests can answer.
public struct ConfigEnvironment {
    /// What is known about a file that was read, for the permission check.
    public struct FileFacts: Sendable {
        /// The file's owner.
        public var owner: UInt32
        /// The file's group.
        public var group: UInt32
        /// Permission bits.
        public var mode: UInt32

        /// Describes a file.
        /// - Parameters:
        ///   - owner: the owner's id.
        ///   - group: the group's id.
        ///   - mode: permission bits.
        public init(owner: UInt32, group: UInt32, mode: UInt32) {
            self.owner = owner
            self.group = group
            self.mode = mode
        }
    }

    /// What became of opening a file.
    public enum FileOutcome {
        /// All its bytes; none for what opens but cannot be read, such as a directory.
        case contents([UInt8], FileFacts)
        /// It does not exist.
        case missing(reason: String)
        /// It cannot be opened, in the C library's words.
        case failed(reason: String)
    }

    /// What a pattern of Include found.
    public enum GlobOutcome {
        /// Paths in order.
        case paths([String])
        /// Nothing.
        case none
        /// It could not be tried.
        case failed
    }

    /// How a command of `Match exec` ended.
    public enum CommandOutcome {
        /// With this status.
        case exited(Int)
        /// By a signal.
        case signalled
        /// It could not be started: the shell's path and the reason.
        case noShell(String, reason: String)
    }

    /// What looking up a name for canonicalization gave.
    public enum LookupOutcome {
        /// The name exists; its canonical name if the resolver told one.
        case found(canonicalName: String?)
        /// It does not.
        case unknown(reason: String)
        /// The resolver failed otherwise.
        case failed(reason: String)
    }

    /// Who runs us, from the user database, which also decides where `~` is (not `$HOME`).
    public var user: (name: String, id: UInt32, home: String)
    /// This host's name.
    ///
    /// C: `gethostname`.
    public var hostName: () -> String
    /// The environment.
    ///
    /// C: `getenv`.
    public var variable: (String) -> String?
    /// The home directory of another user.
    public var homeOf: (String) -> String?
    /// Reads a file.
    public var readFile: (String) -> FileOutcome
    /// Tells whether a group has no member but this user, for group-writable files.
    public var isPrivateGroup: (_ group: UInt32, _ fileOwner: UInt32) -> Bool
    /// Expands a pattern of Include.
    ///
    /// C: `glob(GLOB_TILDE)`.
    public var glob: (String) -> GlobOutcome
    /// Runs a command of `Match exec` by the user's shell, standard input and output /dev/null.
    public var run: (String) -> CommandOutcome
    /// Tells why a path cannot be examined, nil when it can.
    ///
    /// C: `stat`.
    public var problemWithPath: (String) -> String?
    /// The port of a TCP service.
    ///
    /// C: `getservbyname`.
    public var servicePort: (String) -> Int?
    /// Writes a numeric address in its usual form, nil for what is none.
    ///
    /// C: `getnameinfo`.
    public var numericAddress: (String, AddressFamily) -> String?
    /// Looks a name up.
    public var lookUp: (String, AddressFamily) -> LookupOutcome
    /// Whether standard input is a terminal.
    public var isTerminal: () -> Bool
    /// Takes what ssh would log, at its level, in its words.
    public var say: (Trace.Level, String) -> Void
    /// Takes a line that ssh prints whatever LogLevel is.
    public var warn: (String) -> Void

    /// Makes an environment for `user` in which there is nothing; set what there is.
    /// - Parameter user: name, id and home directory.
    public init(user: (name: String, id: UInt32, home: String)) {
        self.user = user
        hostName = { "localhost" }
        variable = { _ in nil }
        homeOf = { _ in nil }
        readFile = { _ in .missing(reason: "No such file or directory") }
        isPrivateGroup = { _, _ in false }
        glob = { _ in .none }
        run = { _ in .exited(1) }
        problemWithPath = { _ in "No such file or directory" }
        servicePort = { _ in nil }
        numericAddress = { _, _ in nil }
        lookUp = { _, _ in .unknown(reason: "Name or service not known") }
        isTerminal = { false }
        say = { _, _ in }
        warn = { _ in }
    }
}
