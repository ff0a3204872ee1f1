internal import Faults

/// Makes the ``Options`` of one run: flags first, then files, then defaults, checks and expansion.
///
/// The order is `main`'s in `ssh.c`: the caller applies each flag as it was typed (the methods of
/// `OptionsResolver+Flags.swift`), calls ``checkTypedNames(_:)``, opens the log, and calls
/// ``resolve(_:)`` once. Lines
/// ssh would log go to ``ConfigEnvironment/say`` at once; what ends the run is thrown.
public struct OptionsResolver {
    /// Which files are read.
    public enum Files: Sendable, Equatable {
        /// The user's and the system's.
        case standard
        /// This one alone, for `-F`; `none` is no file.
        case only(String)
    }

    /// What the configuration depends on beside flags and files.
    public struct Run: Sendable {
        /// The destination's host as typed, without user and port.
        public var host: String
        /// The command line's command, joined by blanks; empty when there is none.
        public var command: String
        /// Which files are read.
        public var files: Files
        /// A command for a running master (`-O`) other than proxy was given: there is no terminal.
        public var isControlCommand: Bool

        /// Describes a run.
        /// - Parameters:
        ///   - host: the host as typed.
        ///   - command: the command, joined by blanks.
        ///   - files: which files are read.
        ///   - isControlCommand: `-O` other than `-O proxy` was given.
        public init(
            host: String,
            command: String = "",
            files: Files = .standard,
            isControlCommand: Bool = false
        ) {
            self.host = host
            self.command = command
            self.files = files
            self.isControlCommand = isControlCommand
        }
    }

    /// What a configuration comes to.
    public struct Outcome: Sendable {
        /// Every option.
        public var options: Options
        /// For what is expanded later.
        public var tokens: Tokens
        /// The command to run: the command line's or RemoteCommand's, empty for a shell.
        public var command: String
        /// Whether a terminal is asked for.
        ///
        /// C: `tty_flag`.
        public var wantsTerminal: Bool
    }

    var parser: ConfigParser

    /// Begins with nothing set.
    /// - Parameter environment: answers what is asked of the system.
    public init(environment: ConfigEnvironment) {
        parser = ConfigParser(environment: environment, host: "")
    }

    /// Reads the files, fills in defaults, checks and expands.
    ///
    /// C: `main` in `ssh.c`.
    /// - Parameter run: what was typed beside flags.
    /// - Returns: the configuration.
    /// - Throws: ``ConfigurationFault``, after what ssh would log was said.
    public mutating func resolve(_ run: Run) throws(ConfigurationFault) -> Outcome {
        parser.draft.options.host = run.host
        parser.originalHost = LosslessText.bytes(run.host)
        parser.host = parser.originalHost
        try readFiles(run.files, isFinal: false)
        if parser.wantsFinalPass { parser.say(.debug1, "configuration requests final Match pass") }
        // C: `fill_default_options_for_canonicalization`, which leaves nothing to the second pass.
        for keyword in [
            Keyword.canonicalizeMaxDots, .canonicalizeFallbackLocal, .canonicalizeHostname,
        ] {
            parser.draft.settled.insert(keyword)
        }
        try settleHostname()
        if parser.draft.options.canonicalizeHostname != .no, !parser.wantsFinalPass {
            parser.say(.debug1, "hostname canonicalisation enabled, will re-parse configuration")
            parser.wantsFinalPass = true
        }
        if parser.wantsFinalPass {
            parser.say(.debug1, "re-parsing configuration")
            parser.draft.hostname = LosslessText.string(parser.host)
            parser.draft.options.given.insert(.hostname)
            try readFiles(run.files, isFinal: true)
        }
        return try Finish(parser: parser, run: run).outcome()
    }

    /// Refuses names that would do harm in commands, since they end up in `%` tokens.
    /// - Parameter host: the destination's host as typed; the user is the one set so far.
    /// - Throws: ``ConfigurationFault``.
    public func checkTypedNames(_ host: String) throws(ConfigurationFault) {
        let options = parser.draft.options
        if options.isSet(.user), !SafeNames.isUser(LosslessText.bytes(options.user)) {
            throw ConfigurationFault("remote username contains invalid characters")
        }
        if !SafeNames.isHost(LosslessText.bytes(host)) {
            throw ConfigurationFault("hostname contains invalid characters")
        }
    }

    /// Reads the files in order.
    ///
    /// C: `process_config_files`; ours come after ssh's of each kind.
    private mutating func readFiles(_ files: Files, isFinal: Bool) throws(ConfigurationFault) {
        var user = ConfigParser.Source(isUser: true, isFinalPass: isFinal)
        let system = ConfigParser.Source(isFinalPass: isFinal)
        switch files {
        case .only(let path):
            if path.isWord("none") { return }
            if let problem = try read(path, user) {
                throw ConfigurationFault(
                    "Can't open user config file \(path): \(problem.reason)"
                )
            }
        case .standard:
            user.checksPermissions = true
            let home = parser.environment.user.home
            _ = try read(home + "/.ssh/config", user)
            _ = try read(home + "/.config/ec2sh/config", user)
            _ = try read("/etc/ssh/ssh_config", system)
            _ = try read("/etc/ec2sh/ec2sh.conf", system)
        }
    }

    private mutating func read(
        _ path: String,
        _ source: ConfigParser.Source
    ) throws(ConfigurationFault) -> ConfigParser.Unreadable? {
        parser.isActive = true
        return try parser.read(file: path, source)
    }
}
