public import Faults

/// What flags do to the options; which flag does what is the caller's.
extension OptionsResolver {
    /// The options as set so far.
    public var options: Options { parser.draft.options }

    /// Lines above this level are not said; the caller sets it when the log is opened.
    public var level: Trace.Level {
        get { parser.level }
        set { parser.level = newValue }
    }

    /// Says a line that ssh prints whatever LogLevel is.
    /// - Parameter line: the line.
    public func warn(_ line: String) { parser.environment.warn(line) }

    /// Sets an option, be it set or not.
    /// - Parameters:
    ///   - keyword: counts as given from now on.
    ///   - place: where its value is.
    ///   - value: the value.
    public mutating func put<Value>(
        _ keyword: Keyword,
        _ place: WritableKeyPath<Options, Value>,
        _ value: Value
    ) {
        parser.draft.put(keyword, place, value)
    }

    /// Sets the target of `-W`.
    /// - Parameter target: nil for a specification that names no host.
    public mutating func putStdioForward(_ target: StdioForward?) {
        parser.draft.options.stdioForward = target
    }

    /// Sets one option as a line of configuration does, for `-o`.
    /// - Parameter text: `Keyword=value` or `Keyword value`.
    /// - Throws: ``ConfigurationFault`` without a line: what is wrong was said.
    public mutating func option(_ text: String) throws(ConfigurationFault) {
        parser.source = ConfigParser.Source(isCommandLine: true, isUser: true)
        (parser.file, parser.lineNumber, parser.isActive) = ("command-line", 0, true)
        if !(try parser.read(line: LosslessText.bytes(text)[...])) {
            throw ConfigurationFault(nil)
        }
    }

    /// Adds a key file, for `-i`.
    /// - Parameter path: expanded.
    /// - Throws: ``ConfigurationFault`` when there are too many.
    public mutating func identityFile(_ path: String) throws(ConfigurationFault) {
        let file = IdentityPath(path: path, origin: .commandLine)
        if !parser.draft.add(file, .identityFile, \.identities) {
            throw ConfigurationFault(
                "Too many identity files specified (max \(ConfigParser.mostFiles))"
            )
        }
    }

    /// Sets ProxyJump, for `-J`.
    /// - Parameter text: hosts separated by commas, or `none`.
    /// - Throws: ``ConfigurationFault`` for a second one, and for what is none.
    public mutating func jump(_ text: String) throws(ConfigurationFault) {
        if parser.draft.jump != nil {
            throw ConfigurationFault(
                "Only a single -J option is permitted (use commas to separate multiple jump hops)"
            )
        }
        if parser.draft.proxyCommand != nil {
            throw ConfigurationFault("Cannot specify -J with ProxyCommand")
        }
        parser.isActive = true
        if !parser.jump(LosslessText.bytes(text), isStrict: true) {
            throw ConfigurationFault("Invalid -J argument")
        }
    }

    /// What a forwarding flag is for.
    public enum ForwardFlag: Sendable {
        /// `-L`
        case local
        /// `-R`
        case remote
        /// `-D`
        case dynamic
    }

    /// Adds a forward, for `-L`, `-R` and `-D`.
    /// - Parameters:
    ///   - text: the specification.
    ///   - flag: which flag it came from.
    /// - Returns: false when it is none.
    public mutating func forward(_ text: String, _ flag: ForwardFlag) -> Bool {
        let forward: Forward?
        switch flag {
        case .local: forward = read(text, .local)
        case .dynamic: forward = read(text, .dynamic)
        case .remote: forward = read(text, .remote) ?? read(text, .remoteDynamic)
        }
        guard let forward else { return false }
        parser.draft.add(forward, isRemote: flag == .remote)
        let keyword: Keyword =
            switch flag {
            case .local: .localForward
            case .remote: .remoteForward
            case .dynamic: .dynamicForward
            }
        parser.draft.options.given.insert(keyword)
        return true
    }

    /// Reads the target of `-W`.
    /// - Parameter text: `host:port`.
    /// - Returns: nil outside when it is none, nil inside when it names no host.
    public func stdioForward(_ text: String) -> StdioForward?? {
        guard let forward = read(text, .dynamic) else { return nil }
        guard case .tcp(let host?, let port) = forward.listener else { return .some(nil) }
        return StdioForward(host: host, port: port)
    }

    private func read(_ text: String, _ kind: ForwardText.Kind) -> Forward? {
        parser.expandVariables(LosslessText.bytes(text)).flatMap {
            ForwardText.read($0, kind, parser.environment.servicePort)
        }
    }

    /// Reads a destination.
    /// - Parameter text: `host`, `user@host` or `ssh://user@host:port`.
    /// - Returns: nil for what is none.
    public func destination(_ text: String) -> Destination? {
        Destination.typed(LosslessText.bytes(text), parser.environment.servicePort)
    }

    /// Reads a port.
    /// - Parameter text: a number or a service's name.
    /// - Returns: 1 to 65,535, nil for what is none.
    public func port(_ text: String) -> Int? {
        let port = Numbers.port(LosslessText.bytes(text)[...], parser.environment.servicePort)
        return port.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Reads an escape character.
    /// - Parameter text: a character, or `^` and a letter; `none` is for the caller.
    /// - Returns: the byte, nil for what is none.
    public func escapeCharacter(_ text: String) -> UInt8? {
        EscapeText.byte(LosslessText.bytes(text))
    }

    /// Reads the unit numbers of `-w`.
    /// - Parameter text: `local[:remote]`.
    /// - Returns: nil for what is none.
    public func tunnelDevice(_ text: String) -> TunnelDevice? {
        TunnelDevice.read(LosslessText.bytes(text))
    }

    /// Tells whether `-c` may name these ciphers.
    /// - Parameter text: a list, perhaps with `+` or `^` in front.
    /// - Returns: false for what is no list of ciphers.
    public func isCipherList(_ text: String) -> Bool {
        let list = LosslessText.bytes(text)
        let isAddition = list.first == UInt8(ascii: "+") || list.first == UInt8(ascii: "^")
        return AlgorithmLists.problem(isAddition ? list.dropFirst() : list[...], .ciphers) == .none
    }

    /// Tells whether `-m` may name these codes.
    /// - Parameter text: a list.
    /// - Returns: false for what is no list of codes.
    public func isMACList(_ text: String) -> Bool {
        AlgorithmLists.problem(LosslessText.bytes(text)[...], .macs) == .none
    }

    /// Replaces `~` at the beginning of a path.
    /// - Parameter path: any path.
    /// - Returns: the path.
    /// - Throws: ``ConfigurationFault`` without a line for a user there is not, which is said.
    public func expandTilde(_ path: String) throws(ConfigurationFault) -> String {
        let environment = parser.environment
        do throws(Expansion.Failure) {
            return try SSHConfig.expandTilde(
                path,
                home: environment.user.home,
                homeOf: environment.homeOf
            )
        } catch {
            for line in error.lines { parser.say(.error, line) }
            throw ConfigurationFault(nil)
        }
    }
}
