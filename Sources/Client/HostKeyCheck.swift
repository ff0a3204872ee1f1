internal import EC2
public import Faults
internal import Posix
public import SSH
internal import SSHConfig

/// Decides whether the key a server shows is to be trusted, in OpenSSH's order and words.
///
/// What is said on the way goes to the trace, line by line, as OpenSSH's `error` and `logit` do;
/// a refusal is thrown and carries the last line.
///
/// C: `verify_host_key`, `check_host_key` in sshconnect.c.
public struct HostKeyCheck {
    /// Runs KnownHostsCommand: gets `HOSTNAME` or `ADDRESS` and the name, gives what it put out.
    public typealias Command = (_ invocation: String, _ name: String) throws(HostKeyRefusal) ->
        [UInt8]

    let policy: HostKeyPolicy
    let known: KnownHosts
    let command: Command?
    let ask: (String) -> String?
    /// Asks AWS about a key that nothing on this machine vouches for.
    let prove: (HostKey) -> InstanceProof.Verdict
    let trace: Trace
    /// CheckHostIP is given up on the way where there is nothing to compare.
    var checksAddress: Bool

    /// Prepares the check of one connection.
    /// - Parameters:
    ///   - policy: the options, and whom we talk to.
    ///   - known: the files, as ``SSH/KnownHosts/load(user:system:trace:)`` has read them.
    ///   - command: KnownHostsCommand; nil when there is none.
    ///   - ask: shows a prompt, echoes the answer and gives it; nil when nobody can be asked.
    ///   - trace: gets the messages.
    public init(
        _ policy: HostKeyPolicy,
        known: KnownHosts,
        command: Command? = nil,
        ask: @escaping (String) -> String?,
        trace: Trace
    ) {
        self.init(
            policy,
            known: known,
            command: command,
            ask: ask,
            prove: { _ in .silent },
            trace: trace
        )
    }

    /// The same for an instance: a key that nothing here vouches for may be proven by AWS.
    init(
        _ policy: HostKeyPolicy,
        known: KnownHosts,
        command: Command? = nil,
        ask: @escaping (String) -> String?,
        prove: @escaping (HostKey) -> InstanceProof.Verdict,
        trace: Trace
    ) {
        self.policy = policy
        self.known = known
        self.command = command
        self.ask = ask
        self.prove = prove
        self.trace = trace
        checksAddress = policy.options.checkHostIP
    }

    /// Judges a key; a new one is written down when it is accepted.
    /// - Parameter key: the key the server proved to have.
    /// - Returns: what must not be done on this connection although it goes on; empty as a rule.
    /// - Throws: ``HostKeyRefusal``; the connection must be closed before any secret is used.
    public mutating func verify(
        _ key: HostKey
    ) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        trace.debug(
            .debug1,
            .trust,
            "Server host key: \(key.algorithm) \(key.fingerprint(policy.options.fingerprintHash))"
        )
        try checkRevocation(key)
        if policy.isProvedByDNS { return [] }
        if policy.differsFromDNS {
            for line in HostKeyWords.differsFromDNS(key, policy) { trace.say(.error, line) }
        }
        if policy.options.noHostAuthenticationForLocalhost && policy.isLoopback
            && policy.options.hostKeyAlias == nil
        {
            trace.debug(.debug1, .trust, "Forcing accepting of host key for loopback/localhost.")
            return []
        }
        let writing: HostKeyCase.Writing = hasOddName ? .never : .allowed
        return try check(key, port: policy.options.port, writing: writing)
    }

    /// Judges a key that AWS has proven in the place of the one that was known before.
    /// - Parameters:
    ///   - key: the key the server proved to have.
    ///   - witness: who vouches for it.
    /// - Returns: what must not be done on this connection; empty.
    /// - Throws: ``HostKeyRefusal`` for a revoked key.
    func verifyReplaced(
        _ key: HostKey,
        by witness: PinnedHostKeys.Witness
    ) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        try checkRevocation(key)
        trace.say(
            .info,
            "ec2sh: the host key of \(policy.knownHostsName) has changed; the new "
                + "\(key.shortName) key is proven by \(witness.name)"
        )
        return []
    }

    /// Judges a key that is the instance's without doubt: only a revocation speaks against it.
    func verifyPinned(_ key: HostKey) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        let name = "\(key.algorithm) \(key.fingerprint(policy.options.fingerprintHash))"
        trace.debug(.debug1, .trust, "Server host key: \(name), pinned to the instance")
        try checkRevocation(key)
        return []
    }

    /// RevokedHostKeys: a list that cannot be read lets no key pass.
    private func checkRevocation(_ key: HostKey) throws(HostKeyRefusal) {
        guard let path = policy.revokedKeysFile else { return }
        let name = "\(key.shortName) \(key.fingerprint(policy.options.fingerprintHash))"
        var reason = "invalid format"
        do {
            let list = try readFile(path).bytes
            if try !HostKeyRevocation.contains(key, list: list) { return }
            trace.say(.error, "Host key \(name) revoked by file \(path)")
            throw HostKeyRefusal.revokedKey(host: policy.knownHostsName)
        } catch let error as SystemError {
            reason = error.reason
        } catch let refusal as HostKeyRefusal {
            throw refusal
        } catch {}
        trace.say(
            .error,
            "Error checking host key \(name) in revoked keys file \(path): \(reason)"
        )
        throw HostKeyRefusal.revokedKey(host: policy.knownHostsName)
    }

    /// Names with these characters would be read back as something else.
    private var hasOddName: Bool {
        policy.host.utf8.contains { "@?*#[]|'\"\\".utf8.contains($0) }
    }

    /// Looks the names up and acts on what is known.
    /// - Parameters:
    ///   - key: the key the server proved to have.
    ///   - port: 0 when the name is looked up once more without its port.
    ///   - writing: whether a new key may be written down.
    /// - Returns: what must not be done although the connection goes on.
    /// - Throws: ``HostKeyRefusal``.
    mutating func check(
        _ key: HostKey,
        port: Int,
        writing: HostKeyCase.Writing
    ) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        let name = policy.name(port: port)
        let address = policy.addressName(port: port)
        if policy.isLoopback || policy.address == nil
            || policy.host == address
        {
            checksAddress = false
        }
        let isRetry = port == 0 && policy.options.port != 0
        var found = HostKeyCase(key, name: name, address: address, writing: writing)
        found.isRetry = isRetry
        let entries = try lookUp(name, "HOSTNAME", isRetry)
        found.host = entries.status(of: key)
        found.hasAuthority = entries.hasAuthority
        found.atAddress =
            checksAddress
            ? try lookUp(address, "ADDRESS", isRetry).status(of: key) : nil
        if policy.userFiles.isEmpty || found.isFromCommand, writing == .allowed {
            found.writing = .never
        }
        let restrictions = try act(on: found)
        try compareWithAddress(found)
        return restrictions
    }

    private func lookUp(
        _ name: String,
        _ invocation: String,
        _ isRetry: Bool
    ) throws(HostKeyRefusal) -> KnownHostsEntries {
        var known = known
        if let command, !isRetry {
            known = known.adding(output: try command(invocation, name), invocation: invocation)
        }
        return known.lookUp(name) { trace.debug(.debug1, .trust, $0) }
    }

    private mutating func act(
        on found: HostKeyCase
    ) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        switch found.host {
        case .match(let entry):
            greet(found, entry)
            return []
        case .unknown:
            return try isProven(found) ? [] : meet(found)
        case .revoked:
            for line in HostKeyWords.revoked(found) { trace.say(.error, line) }
            guard policy.options.strictHostKeyChecking == .no else {
                trace.say(.error, HostKeyWords.revokedAndStrict(found))
                throw HostKeyRefusal.revoked(found)
            }
            return try goOnUnsafely()
        case .changed(let entry):
            if found.writing == .neverAndQuiet { throw HostKeyRefusal.changed(found, entry) }
            // An address goes from one instance to another; a key that AWS vouches for does not.
            if try isProven(found) { return [] }
            for line in HostKeyWords.changed(found, entry, policy, checksAddress) {
                trace.say(.error, line)
            }
            guard policy.options.strictHostKeyChecking == .no else {
                trace.say(.error, HostKeyWords.changedAndStrict(found))
                throw HostKeyRefusal.changed(found, entry)
            }
            return try goOnUnsafely()
        }
    }

    /// Asks AWS, for an instance.
    /// - Throws: ``HostKeyRefusal/disproven(host:)`` when the key is not the instance's.
    private func isProven(_ found: HostKeyCase) throws(HostKeyRefusal) -> Bool {
        if found.writing == .neverAndQuiet { return false }
        switch prove(found.key) {
        case .proven(let witness):
            trace.say(
                .info,
                "ec2sh: the \(found.key.shortName) host key of \(found.name) is proven by "
                    + witness.name
            )
            return true
        case .contradicted: throw HostKeyRefusal.disproven(host: found.name)
        case .silent: return false
        }
    }

    /// The user has asked not to be stopped: nothing is done that a wrong server could misuse.
    private func goOnUnsafely() throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        var isForwardingCancelled = false
        for (thing, words) in HostKeyWords.disabled where policy.exposed.contains(thing) {
            trace.say(.error, words)
            if thing != .keyUpdates { isForwardingCancelled = true }
        }
        if policy.options.exitOnForwardFailure && isForwardingCancelled {
            throw HostKeyRefusal.forwardingDisabled
        }
        return policy.exposed
    }

    /// CheckHostIP: the name is fine, but its address is known with another key.
    private func compareWithAddress(_ found: HostKeyCase) throws(HostKeyRefusal) {
        guard checksAddress, case .changed(let other)? = found.atAddress else { return }
        if case .changed = found.host { return }
        let words = HostKeyWords.addressDiffers(found, other)
        switch policy.options.strictHostKeyChecking {
        case .ask:
            let question = words + "\nAre you sure you want to continue connecting (yes/no)? "
            if !confirm(question, fingerprint: nil) { throw HostKeyRefusal.declined(found) }
        case .no:
            trace.say(.info, words)
        case .yes, .acceptNew:
            trace.say(.info, words)
            trace.say(.error, "Exiting, you have requested strict checking.")
            throw HostKeyRefusal.changed(found, other)
        }
    }

    /// Asks until the answer is yes, no or the fingerprint.
    ///
    /// C: `confirm`.
    func confirm(_ question: String, fingerprint: String?) -> Bool {
        if policy.options.batchMode { return false }
        var prompt = question
        while let answer = ask(prompt) {
            let isBlank = { (character: Character) in character == " " || character == "\t" }
            let word = answer.drop(while: isBlank).prefix { !isBlank($0) && !$0.isNewline }
            switch word.lowercased() {
            case "", "no": return false
            case "yes": return true
            default: break
            }
            if let fingerprint, word == fingerprint { return true }
            prompt =
                fingerprint == nil
                ? "Please type 'yes' or 'no': "
                : "Please type 'yes', 'no' or the fingerprint: "
        }
        return false
    }
}

/// What is known about one key of one host, on the way to a decision.
struct HostKeyCase {
    /// Whether a new key may be written down.
    enum Writing: Equatable {
        case allowed
        case never
        /// Nor is anything said: the name is only looked up once more, without its port.
        case neverAndQuiet
    }

    let key: HostKey
    /// The name that was looked up.
    let name: String
    /// The address that was looked up, or what stands for it in messages.
    let address: String
    var writing: Writing
    var isRetry = false
    /// Whether a certificate authority speaks for the host, which cannot be asked here.
    var hasAuthority = false
    var host = KnownHostsStatus.unknown
    /// Nil when addresses are not compared.
    var atAddress: KnownHostsStatus?

    init(_ key: HostKey, name: String, address: String, writing: Writing) {
        self.key = key
        self.name = name
        self.address = address
        self.writing = writing
    }

    var isFromCommand: Bool {
        switch host {
        case .match(let entry), .changed(let entry): entry.origin == .command
        case .unknown, .revoked: false
        }
    }
    /// Whether the address has no key of its own written down yet.
    var isNewAddress: Bool { atAddress == .unknown }
}
