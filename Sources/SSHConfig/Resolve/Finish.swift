internal import Faults

/// The last steps: defaults that depend on others, checks, expansion.
///
/// C: `fill_default_options` and what follows it in `main` of `ssh.c`.
struct Finish {
    private let parser: ConfigParser
    private let run: OptionsResolver.Run
    private var options: Options
    /// As canonicalization left it.
    private let hostname: String

    init(parser: ConfigParser, run: OptionsResolver.Run) {
        self.parser = parser
        self.run = run
        options = parser.draft.options
        hostname = LosslessText.string(parser.host)
    }

    /// Takes all steps in ssh's order.
    consuming func outcome() throws(ConfigurationFault) -> OptionsResolver.Outcome {
        fillDefaults()
        try expandLists()
        clearNones()
        if !options.isSet(.user) { options.user = parser.environment.user.name }
        try settleJump()
        options.hostname = hostname
        options.hostKeyAlias = options.hostKeyAlias.map {
            LosslessText.string(LosslessText.bytes($0).lowercased())
        }
        try check()
        var speaking = parser
        speaking.level = options.logLevel
        let wantsTerminal = decideTerminal(speaking)
        let tokens = tokens()
        try Expander(parser: speaking, tokens: tokens).expand(&options)
        try expandHostKeys()
        return OptionsResolver.Outcome(
            options: options,
            tokens: tokens,
            command: options.remoteCommand ?? run.command,
            wantsTerminal: wantsTerminal
        )
    }

    // MARK: Defaults

    private mutating func fillDefaults() {
        if !options.isSet(.port) { options.port = parser.environment.servicePort("ssh") ?? 22 }
        if options.stdioForward != nil {
            if !options.isSet(.exitOnForwardFailure) { options.exitOnForwardFailure = true }
            if !options.isSet(.clearAllForwardings) { options.clearAllForwardings = true }
        }
        if options.clearAllForwardings {
            options.localForwards = []
            options.remoteForward = []
            options.tunnel = .no
        }
        let files = options.userKnownHostsFile
        let hasUsualFiles =
            !options.isSet(.userKnownHostsFile) || files == ["~/.ssh/known_hosts"]
        if !options.isSet(.updateHostKeys) {
            options.updateHostKeys = options.verifyHostKeyDNS == .no && hasUsualFiles ? .yes : .no
        }
        if !options.isSet(.serverAliveInterval), options.batchMode {
            // Debian's: in batch mode nobody would notice.
            options.serverAliveInterval = 300
        }
        options.proxyCommand = parser.draft.proxyCommand
        let pairs = options.canonicalizePermittedCNAMEs
        if pairs.count == 1, pairs[0].source.isWord("none"), pairs[0].target.isEmpty {
            options.canonicalizePermittedCNAMEs = []
        }
    }

    private mutating func expandLists() throws(ConfigurationFault) {
        try expand(.ciphers, \.ciphers, Algorithms.defaultCiphers, .ciphers, "ciphers")
        try expand(.macs, \.macs, Algorithms.defaultMACs, .macs, "macs")
        try expand(.kexAlgorithms, \.kexAlgorithms, Algorithms.defaultKex, .kex, "kex_algorithms")
        try expand(
            .hostbasedAcceptedAlgorithms,
            \.hostbasedAcceptedAlgorithms,
            Algorithms.defaultKeys,
            .keys,
            "hostbased_accepted_algos"
        )
        try expand(
            .pubkeyAcceptedAlgorithms,
            \.pubkeyAcceptedAlgorithms,
            Algorithms.defaultKeys,
            .keys,
            "pubkey_accepted_algos"
        )
        try expand(
            .caSignatureAlgorithms,
            \.caSignatureAlgorithms,
            Algorithms.defaultSignatures,
            .signatures,
            "ca_sign_algorithms"
        )
    }

    private mutating func expand(
        _ keyword: Keyword,
        _ place: WritableKeyPath<Options, [String]>,
        _ defaults: [String],
        _ kind: AlgorithmLists.Kind,
        _ name: String
    ) throws(ConfigurationFault) {
        guard options.isSet(keyword), let list = options[keyPath: place].first else { return }
        let known = AlgorithmLists.known(kind)
        guard let names = AlgorithmLists.expand(list, defaults: defaults, known: known) else {
            parser.say(.error, "fill_default_options: \(name): invalid argument")
            throw ConfigurationFault(nil)
        }
        options[keyPath: place] = names
    }

    private mutating func expandHostKeys() throws(ConfigurationFault) {
        guard options.isSet(.hostKeyAlgorithms), let list = options.hostKeyAlgorithms.first else {
            return
        }
        let names = AlgorithmLists.expand(
            list,
            defaults: Algorithms.defaultKeys,
            known: AlgorithmLists.known(.keys)
        )
        guard let names else {
            throw ConfigurationFault(
                "dump_client_config: expand HostKeyAlgorithms: invalid argument"
            )
        }
        options.hostKeyAlgorithms = names
    }

    /// `none` means nothing for these.
    ///
    /// C: `CLEAR_ON_NONE`.
    private mutating func clearNones() {
        let places: [WritableKeyPath<Options, String?>] = [
            \.localCommand, \.remoteCommand, \.proxyCommand, \.controlPath, \.revokedHostKeys,
            \.pkcs11Provider, \.securityKeyProvider, \.knownHostsCommand,
        ]
        for place in places where options[keyPath: place]?.isWord("none") ?? false {
            options[keyPath: place] = nil
        }
        if options.globalKnownHostsFile.first?.isWord("none") ?? false {
            options.globalKnownHostsFile = []
        }
        if options.userKnownHostsFile.first?.isWord("none") ?? false {
            options.userKnownHostsFile = []
        }
    }

    private mutating func settleJump() throws(ConfigurationFault) {
        guard case .hosts(let hosts) = parser.draft.jump, let last = hosts.last else { return }
        let standard = parser.environment.servicePort("ssh") ?? 22
        let isSelf =
            last.host == hostname && last.port ?? standard == options.port
            && last.user ?? options.user == options.user
        if isSelf { throw ConfigurationFault("jumphost loop via \(last.host)") }
        options.proxyJump = hosts
        options.proxyUseFdpass = false
    }

    // MARK: Checks

    private mutating func check() throws(ConfigurationFault) {
        let hasCommand = !run.command.isEmpty
        if options.proxyCommand == "-", options.proxyUseFdpass {
            throw ConfigurationFault("ProxyCommand=- and ProxyUseFDPass are incompatible")
        }
        if options.updateHostKeys == .ask {
            let persists = options.controlPersist != .no && options.controlPath != nil
            let runsCommand =
                hasCommand || options.remoteCommand != nil || options.requestTTY == .no
            if persists || runsCommand || options.logLevel < .info {
                options.updateHostKeys = .no
            }
        }
        if options.connectionAttempts <= 0 {
            throw ConfigurationFault("Invalid number of ConnectionAttempts")
        }
        if hasCommand, options.remoteCommand != nil {
            throw ConfigurationFault("Cannot execute command-line and remote command.")
        }
        if options.forkAfterAuthentication, !hasCommand, options.remoteCommand == nil,
            options.sessionType != .none
        {
            throw ConfigurationFault(
                "Cannot fork into background without a command to execute."
            )
        }
    }

    /// Whether there is to be a terminal.
    ///
    /// C: `tty_flag`.
    private func decideTerminal(_ parser: ConfigParser) -> Bool {
        var wants = options.requestTTY == .yes || options.requestTTY == .force
        if run.command.isEmpty, options.remoteCommand == nil { wants = options.requestTTY != .no }
        if options.requestTTY == .no || run.isControlCommand || options.sessionType == .none {
            wants = false
        }
        if options.requestTTY == .force { return wants }
        guard options.stdinNull || !parser.environment.isTerminal() else { return wants }
        if wants {
            parser.say(
                .info,
                "Pseudo-terminal will not be allocated because stdin is not a terminal."
            )
        }
        return false
    }

    private func tokens() -> Tokens {
        let environment = parser.environment
        return Tokens(
            localHost: environment.hostName(),
            hostname: options.hostname,
            host: options.host,
            port: options.port,
            remoteUser: options.user,
            localUser: environment.user.name,
            localUserID: environment.user.id,
            home: environment.user.home,
            keyAlias: options.hostKeyAlias ?? options.host
        )
    }
}
