internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// Logs in on one connection as one user, in OpenSSH's order and words (sshconnect2.c).
struct Login {
    let session: Session
    let user: String
    /// The host as messages name it.
    let host: String
    let options: Options
    private(set) var keys: LoginKeys
    let prompter: Prompter
    let poller: Poller
    let trace: Trace
    /// Whether the terminal shows UTF-8.
    let isUTF8: Bool
    /// Lets a key in that was made for this login, for a minute.
    private let push: (UserKey) throws -> Void
    private var methods: LoginMethods
    private var identities: LoginIdentities?
    private var agent: Agent?
    private var tried: [LoginRefused.TriedKey] = []
    private var passwordTries = 0
    private var interactiveTries = 0
    private var wasAsked = false
    private var wasTicketTried = false
    /// What let us in, for the next time.
    private(set) var success: RememberedLogin

    /// Prepares a login.
    init(
        _ session: Session,
        user: String,
        host: String,
        options: Options,
        keys: LoginKeys,
        prompter: Prompter,
        poller: Poller,
        trace: Trace,
        isUTF8: Bool,
        push: @escaping (UserKey) throws -> Void = { _ in }
    ) {
        self.session = session
        self.user = user
        self.host = host
        self.options = options
        self.keys = keys
        self.prompter = prompter
        self.poller = poller
        self.trace = trace
        self.isUTF8 = isUTF8
        self.push = push
        methods = LoginMethods(options, keyFirst: keys.pushed != nil)
        success = RememberedLogin(user: user)
    }

    /// Logs in.
    /// - Returns: the method that did it, by its name in the protocol.
    /// - Throws: ``LoginRefused`` when nothing is left to try; the session's fault.
    mutating func run() throws -> String {
        // The keys are read while the first question is on its way.
        let first = try session.authenticateNone(user: user)
        let identities = try findIdentities()
        self.identities = identities
        var reply = try wait(first) { try $0.authenticateNone(user: $1) }
        var name = "none"
        while reply != .accepted {
            let names = session.methodsThatCanContinue
            if reply == .partial {
                trace.say(.verbose, "Authenticated using \"\(name)\" with partial success.")
                self.identities?.reset()
            }
            trace.debug(
                .debug1,
                .auth,
                "authentications that can continue: \(names.joined(separator: ","))"
            )
            guard let method = methods.next(names) else {
                throw LoginRefused(user: user, host: host, methods: names, keys: tried)
            }
            name = method.rawValue
            trace.debug(.debug1, .auth, "next authentication method: \(name)")
            if let next = try attempt(method) {
                reply = next
            } else {
                methods.giveUp(method)
                reply = .refused
            }
        }
        return name
    }

    /// Uses a method once.
    /// - Returns: nil when it had nothing to send.
    private mutating func attempt(_ method: LoginMethod) throws -> LoginReply? {
        switch method {
        case .publicKey: try tryKeys()
        case .interactive: try tryInteractive()
        case .password: try tryPassword()
        case .gssapi: try tryTicket()
        case .hostbased: nil
        }
    }

    // MARK: - Waiting

    /// Takes turns until the server has answered, printing its banners.
    private func wait<Value>(
        _ first: Attempt<Value>? = nil,
        _ step: (Session, String) throws -> Attempt<Value>
    ) throws -> Value {
        defer { printBanners() }
        if case .done(let value) = first { return value }
        let value = try poller.wait { () throws -> Attempt<Value> in
            let result = try step(session, user)
            printBanners()
            return result
        }
        guard let value else { preconditionFailure("there is no deadline to pass") }
        return value
    }

    private func printBanners() {
        for banner in session.takeBanners() where trace.level >= .info {
            // Nobody is left to tell if standard error is closed.
            try? writeAll(2, printableText(banner, isUTF8: isUTF8))
        }
    }

    // MARK: - Keys

    private mutating func findIdentities() throws -> LoginIdentities {
        var agentKeys: [AgentIdentity] = []
        if let path = keys.agentPath, options.pubkeyAuthentication != .no {
            let helper = try Helper { () -> (Agent, [AgentIdentity])? in
                guard let agent = try? Agent(path: path) else { return nil }
                return (agent, agent.identities())
            }
            let answer = try poller.wait(watching: helper)
            agent = answer?.0
            agentKeys = answer?.1 ?? []
            trace.debug(.debug1, .identity, "the agent has \(agentKeys.count) keys")
        }
        let identities = try keys.identities(agentKeys: agentKeys)
        for identity in identities.queue {
            trace.debug(.debug1, .identity, "will attempt key: \(describe(identity))")
        }
        return identities
    }

    /// The keys there are, tried or not.
    var queue: [LoginIdentity] { identities?.queue ?? [] }

    /// Tries keys up to the first one the server has something to say to (`userauth_pubkey`).
    private mutating func tryKeys() throws -> LoginReply? {
        while true {
            while let identity = identities?.next() {
                if let reply = try tryKey(identity) { return reply }
            }
            // Before anything else is asked for.
            guard let more = try keys.findMore?(queue), !more.isEmpty else { return nil }
            keys.findMore = nil
            identities?.add(more, first: true)
        }
    }

    private mutating func tryKey(_ identity: LoginIdentity) throws -> LoginReply? {
        guard let key = identity.key else {
            trace.debug(.debug1, .auth, "trying private key: \(identity.name)")
            guard let key = load(identity) else { return nil }
            guard key.publicKey.isAccepted(by: options.pubkeyAcceptedAlgorithms) else {
                trace.say(.error, "sign_and_send_pubkey: no mutual signature supported")
                note(identity, .unusable("its algorithm is not in PubkeyAcceptedAlgorithms"))
                return nil
            }
            return try authenticate(identity, key)
        }
        trace.debug(.debug1, .auth, "offering public key: \(describe(identity))")
        let signer = identities?.signer(for: identity) ?? identity
        if signer.isInAgent || identity.isInAgent, let agent {
            let blob = identity.isInAgent ? key.blob : key.plain.blob
            return try authenticate(identity, key) { agent.sign($0, with: blob) }
        }
        if signer.isOnToken { return try tryToken(identity, key) }
        if key.isOnSecurityKey { return try trySecurityKey(identity, key, signer.name) }
        // Not before it is shown: a person may have been asked for a password until now.
        if let pushed = keys.pushed { try push(pushed.publicKey) }
        let privateKey: PrivateKey
        if let ready = keys.readyKey(signer) {
            privateKey = ready
        } else {
            guard try offer(key) else {
                note(identity, .refused)
                return .refused
            }
            trace.debug(.debug1, .auth, "server accepts key: \(describe(identity))")
            guard let loaded = load(signer) else { return nil }
            privateKey = loaded
        }
        guard privateKey.publicKey.plain == key.plain else {
            trace.say(
                .error,
                "private key \(identity.name) contents do not match public"
            )
            return nil
        }
        return try authenticate(identity, privateKey, key.certificate == nil ? nil : key)
    }

    func offer(_ key: UserKey) throws -> Bool {
        do {
            return try wait { try $0.offer(key, user: $1) }
        } catch SSHError.unusableKey(let reason) {
            trace.debug(.debug1, .auth, reason)
            return false
        }
    }

    private mutating func authenticate(
        _ identity: LoginIdentity,
        _ key: PrivateKey,
        _ certificate: UserKey? = nil
    ) throws -> LoginReply? {
        do {
            if let certificate { try key.attach(certificate) }
            let reply = try wait { try $0.authenticate(user: $1, key: key) }
            if reply == .refused {
                note(identity, .refused)
            } else {
                success.key = key.publicKey.plain.fingerprint()
                success.keyPath = identity.name
                addToAgent(identity.name) { key.agentEncoding(comment: $0) }
            }
            return reply
        } catch let error as SSHError where session.failure == nil {
            // The key is at fault and not the connection: the next one may do.
            trace.say(.error, "ec2sh: \(identity.name): \(error.summary)")
            if let hint = error.hint { trace.say(.error, "ec2sh: hint: \(hint.text)") }
            note(identity, .unusable(error.summary))
            return nil
        }
    }

    /// Gives a key that has done its work to the agent, as AddKeysToAgent says
    /// (`maybe_add_key_to_agent`).
    /// - Parameters:
    ///   - path: the key's file.
    ///   - provider: what reaches the security key it is on; nil for other keys.
    ///   - encode: gives the key, with a comment, as an agent takes it; the bytes are wiped.
    func addToAgent(
        _ path: String,
        provider: String? = nil,
        _ encode: (_ comment: String) -> [UInt8]?
    ) {
        let rule = options.addKeysToAgent
        guard rule.mode != .no, let agent else { return }
        let comment = keys.comment(path)
        if rule.mode == .ask, !prompter.askPermission("Add key \(path) (\(comment)) to agent?") {
            trace.debug(.debug3, .identity, "user denied adding this key")
            return
        }
        var constraints: [AgentRequest.KeyConstraint] = []
        if rule.lifetime > 0 { constraints.append(.lifetime(UInt32(clamping: rule.lifetime))) }
        if rule.mode == .confirm { constraints.append(.confirm) }
        if let provider { constraints.append(.securityKeyProvider(provider)) }
        guard var encoding = encode(comment) else {
            trace.say(.info, "ec2sh: \(path) cannot be given to the agent from here; use ssh-add")
            return
        }
        defer { wipe(&encoding) }
        let reply = agent.ask(.add(key: encoding, constraints: constraints))
        trace.debug(
            .debug1,
            .identity,
            reply == .success
                ? "identity added to agent: \(path)" : "could not add identity to agent: \(path)"
        )
    }

    // Why there was no signature is asked for only then.
    mutating func authenticate(
        _ identity: LoginIdentity,
        _ key: UserKey,
        reason: () -> String = { " from agent: agent refused operation" },
        sign: @escaping Signer
    ) throws -> LoginReply? {
        if let reply = try authenticateQuietly(identity, key, sign: sign) { return reply }
        sayNotSigned(identity, key, reason())
        return nil
    }

    // The reason is who did not sign, and why not.
    mutating func sayNotSigned(_ identity: LoginIdentity, _ key: UserKey, _ reason: String) {
        trace.say(
            .error,
            "sign_and_send_pubkey: signing failed for \(key.shortName) \"\(identity.name)\""
                + reason
        )
        note(identity, .notSigned)
    }

    // Nil when there was no signature.
    mutating func authenticateQuietly(
        _ identity: LoginIdentity,
        _ key: UserKey,
        sign: @escaping Signer
    ) throws -> LoginReply? {
        do {
            let reply = try wait { try $0.authenticate(user: $1, key: key, sign: sign) }
            if reply == .refused {
                note(identity, .refused)
            } else {
                success.key = key.plain.fingerprint()
            }
            return reply
        } catch SSHError.notSigned {
            return nil
        }
    }

    private mutating func load(_ identity: LoginIdentity) -> PrivateKey? {
        switch keys.privateKey(identity) {
        case .key(let key): return key
        case .missing: return nil
        case .nothing(let reason):
            note(identity, .unusable(reason))
            return nil
        }
    }

    mutating func note(
        _ identity: LoginIdentity,
        _ result: LoginRefused.TriedKey.Result
    ) {
        tried.append(LoginRefused.TriedKey(name: identity.name, result: result))
    }

    private func describe(_ identity: LoginIdentity) -> String {
        identity.description(options.fingerprintHash)
    }

    /// Uses a Kerberos ticket, once.
    private mutating func tryTicket() throws -> LoginReply? {
        guard !wasTicketTried else { return nil }
        wasTicketTried = true
        let parameters = Session.GSSAPIParameters(
            server: options.gssapiServerIdentity ?? options.hostname,
            client: options.gssapiClientIdentity,
            delegates: options.gssapiDelegateCredentials
        )
        do {
            return try wait { try $0.authenticateGSSAPI(user: $1, parameters) }
        } catch let error as SSHError where session.failure == nil {
            trace.debug(.debug1, .auth, error.summary)
            return nil
        }
    }

    // MARK: - Questions

    private mutating func tryPassword() throws -> LoginReply? {
        guard passwordTries < options.numberOfPasswordPrompts else { return nil }
        passwordTries += 1
        if passwordTries > 1 { trace.say(.error, "Permission denied, please try again.") }
        let name = options.hostKeyAlias ?? host
        let password = prompter.ask("\(user)@\(name)'s password: ") ?? ""
        return try wait { try $0.authenticate(user: $1, password: password) }
    }

    private mutating func tryInteractive() throws -> LoginReply? {
        guard interactiveTries < options.numberOfPasswordPrompts else { return nil }
        interactiveTries += 1
        // A server that did not ask the first time will not do so now.
        if interactiveTries > 1 && !wasAsked { return nil }
        let devices = options.kbdInteractiveDevices ?? ""
        while true {
            let reply = try wait {
                try $0.authenticateInteractively(user: $1, devices: devices)
            }
            switch reply {
            case .reply(let reply): return reply
            case .request(let request):
                wasAsked = true
                try session.answer(ask(request))
            }
        }
    }

    private func ask(_ request: InteractiveRequest) -> [String] {
        for text in [request.name, request.instruction] where !text.isEmpty {
            trace.say(.info, visible(text.utf8))
        }
        let name = options.hostKeyAlias ?? host
        return request.prompts.map { prompt in
            let text = printableText(
                Array("(\(user)@\(name)) \(prompt.text)".utf8),
                isUTF8: isUTF8
            )
            return prompter.ask(
                String(decoding: text, as: UTF8.self),
                prompt.echo ? .visible : .secret
            ) ?? ""
        }
    }
}
