public import Arguments
public import Faults
internal import Posix
internal import SSHConfig

extension Request {
    /// Reads flags, files and the environment in the order `main` of `ssh.c` does.
    ///
    /// Nothing is looked up on a network unless CanonicalizeHostname asks for it.
    /// - Parameters:
    ///   - invocation: what was typed.
    ///   - user: who runs us.
    ///   - trace: gets what ssh would log; its level is set as the configuration says, and with
    ///     `-E` its sink.
    ///   - version: the line of `-V`.
    /// - Throws: ``UsageFault`` for what ssh prints on standard error whatever LogLevel is,
    ///   ``ConfigurationFault`` for what it logs; ssh's status is 255 for both.
    public init(
        _ invocation: Invocation,
        user: (name: String, id: UInt32, home: String),
        trace: Trace,
        version: String
    ) throws {
        var environment = ConfigEnvironment.system(user: user)
        environment.say = { level, line in trace.logSSH(level, line) }
        var reader = FlagReader(invocation, environment)
        for word in invocation.words {
            if let answer = try reader.read(word, version) {
                self = answer
                return
            }
        }
        let host = try reader.finish()
        try reader.openLog(trace, version)

        var outcome = try reader.resolve(host)
        if LoginFacts.isInstance(outcome.options) { outcome.options.useInstanceDefaults() }
        trace.level = outcome.options.logLevel
        trace.openLayers = outcome.options.openLayers
        // A file may have named another facility than the one the log began with.
        if reader.invocation.has(.syslog) {
            trace.sendToSyslog(outcome.options.syslogFacility, program: reader.invocation.name)
        }
        if invocation.has(.printConfiguration) {
            self = .print(output: ConfigurationDump.text(outcome.options), errors: [])
            return
        }
        self = .run(
            Configuration(
                invocation: invocation,
                options: outcome.options,
                tokens: outcome.tokens,
                environment: environment,
                command: outcome.command,
                wantsTerminal: outcome.wantsTerminal,
                controlCommand: reader.controlCommand,
                configurationFile: reader.configurationFile,
                verbosity: reader.verbosity
            )
        )
    }
}

extension FlagReader {
    /// Checks what was typed once all of it is known.
    /// - Returns: the host; empty for a verb that needs none.
    mutating func finish() throws -> String {
        if let complaint = invocation.complaint { throw UsageFault(complaint, in: invocation) }
        let needsHost =
            ![.list, .attach, .doctor].contains(invocation.verb)
            && !invocation.words.contains(.long(.undo))
        if host == nil, needsHost { throw UsageFault(invocation) }
        let host = host ?? ""
        do {
            try resolver.checkTypedNames(host)
        } catch {
            // A pattern is no host, and what could do harm as one is not taken for one.
            if invocation.verb == .list { return "" }
            throw error
        }
        if invocation.verb != nil {
            try finishVerb()
        } else if invocation.command.isEmpty, resolver.options.isSet(.sessionType),
            resolver.options.sessionType == .subsystem
        {
            throw UsageFault(invocation, reason: "You must specify a subsystem to invoke.")
        }
        return host
    }

    /// `proxy HOST [PORT [USER]]` and `attach HOST [ID]` have words after the host, no other verb.
    private mutating func finishVerb() throws {
        var words = invocation.command[...]
        if invocation.verb == .proxy {
            if let port = words.popFirst() { try set(.port, port) }
            if let user = words.popFirst() { try set(.loginName, user) }
        }
        if invocation.verb == .attach { _ = words.popFirst() }
        if !words.isEmpty { throw UsageFault(invocation) }
        if invocation.verb != .attach {
            resolver.put(.requestTTY, \.requestTTY, .no)
            resolver.put(.sessionType, \.sessionType, .none)
        }
    }

    /// Opens the log where and as loud as the flags say.
    mutating func openLog(_ trace: Trace, _ version: String) throws {
        let options = resolver.options
        let level = options.isSet(.logLevel) ? options.logLevel : .info
        let file = invocation.values(of: .logFile).last
        if file != nil, invocation.has(.syslog) {
            throw ConfigurationFault("Can't specify both -y and -E")
        }
        if let file { try trace.append(toFile: file) }
        if invocation.has(.syslog) {
            trace.sendToSyslog(options.syslogFacility, program: invocation.name)
        }
        trace.level = level
        resolver.level = level
        if verbosity > 0 { trace.say(.info, version) }
    }

    mutating func resolve(_ host: String) throws(ConfigurationFault) -> OptionsResolver.Outcome {
        let isVerb = invocation.verb != nil
        return try resolver.resolve(
            OptionsResolver.Run(
                host: host,
                command: isVerb ? "" : invocation.command.joined(separator: " "),
                files: configurationFile.map { .only($0) } ?? .standard,
                isControlCommand: controlCommand != nil && controlCommand != .proxy
            )
        )
    }
}
