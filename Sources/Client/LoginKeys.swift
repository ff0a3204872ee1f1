internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// Reads the keys of a login from files and the agent.
struct LoginKeys {
    let options: Options
    let prompter: Prompter
    let trace: Trace
    /// Where the agent is; nil when there is none or it is not to be asked.
    let agentPath: String?
    /// PKCS11Provider; nil when there is none.
    let token: LoginToken?
    /// The process's environment.
    let environment: [String: String]
    /// Expands a path of the configuration.
    let expand: (String) throws -> String
    /// A key that was made for this login, in the place of all others.
    var pushed: PrivateKey?
    /// What worked the last time.
    var remembered: RememberedLogin?
    /// Keys that were found for the instance, besides those the user has named.
    var found: [LoginIdentity] = []
    /// Finds more of them, when the server has taken none: gets the keys that there are.
    var findMore: (([LoginIdentity]) throws -> [LoginIdentity])?

    private static let pushedName = "a key pushed by EC2 Instance Connect"

    // MARK: - Public halves

    /// Finds out which keys there are (ssh.c, `load_public_identity_files`).
    /// - Parameter agentKeys: what the agent has.
    /// - Returns: the keys in the order to try them.
    /// - Throws: when a path cannot be expanded.
    func identities(agentKeys: [AgentIdentity]) throws -> LoginIdentities {
        if let pushed {
            let identity = LoginIdentity(name: LoginKeys.pushedName, key: pushed.publicKey)
            return LoginIdentities(
                files: [identity],
                certificates: [],
                agentKeys: [],
                options: options
            )
        }
        var files = token?.identities() ?? []
        for identity in options.identities where identity.path.lowercased() != "none" {
            let path = try expand(identity.path)
            let isUserProvided = identity.origin != .system
            let key = publicKey(path)
            trace.debug(
                .debug1,
                .identity,
                "identity file \(path) \(key?.shortName ?? "not known yet")"
            )
            files.append(LoginIdentity(name: path, key: key, isUserProvided: isUserProvided))
            // Named after the private key, which is what signs.
            if options.certificates.isEmpty, let certificate = certificate("\(path)-cert") {
                files.append(
                    LoginIdentity(name: path, key: certificate, isUserProvided: isUserProvided)
                )
            }
        }
        let certificates = try options.certificates.compactMap { named -> LoginIdentity? in
            let path = try expand(named.path)
            let isUserProvided = named.origin != .system
            return certificate(path).map {
                LoginIdentity(name: path, key: $0, isUserProvided: isUserProvided)
            }
        }
        var identities = LoginIdentities(
            files: files,
            certificates: certificates,
            agentKeys: agentKeys.compactMap { identity in
                UserKey(blob: identity.blob).map {
                    LoginIdentity(name: identity.comment, key: $0, isInAgent: true)
                }
            },
            options: options,
            skip: { identity, why in
                trace.debug(.debug1, .identity, "skipping key \(identity.name): \(why)")
            }
        )
        // A key that the user has named stays first.
        let isNamed = options.isSet(.identityFile)
        identities.add(found, first: !isNamed)
        addRemembered(to: &identities, isNamed: isNamed)
        return identities
    }

    /// The key that worked the last time goes first: servers count tries.
    private func addRemembered(to identities: inout LoginIdentities, isNamed: Bool) {
        guard let remembered, let fingerprint = remembered.key else { return }
        if let path = remembered.keyPath, !options.identitiesOnly {
            let key = publicKey(path)
            let isTheSame = key.map { $0.plain.fingerprint() == fingerprint } ?? true
            if isTheSame {
                identities.add([LoginIdentity(name: path, key: key)], first: !isNamed)
            }
        }
        identities.prefer { identity in
            let isIt =
                identity.key.map { $0.certificate == nil && $0.plain.fingerprint() == fingerprint }
                ?? (identity.name == remembered.keyPath)
            return isIt && (!isNamed || identity.isUserProvided)
        }
    }

    private func certificate(_ path: String) -> UserKey? {
        guard let key = publicKey(path), let kind = key.certificate else { return nil }
        if kind == .user { return key }
        trace.debug(.debug1, .identity, "ignoring \(path): not a user certificate")
        return nil
    }

    /// The public half: the file itself, `.pub` beside it, or what a private key shows of it
    /// (authfile.c, `sshkey_load_public`).
    private func publicKey(_ path: String) -> UserKey? {
        var contents: [UInt8] = []
        for path in [path, path + ".pub"] {
            do throws(SystemError) {
                let file = try readKeyFile(path)
                if let key = UserKey(publicKeyFile: file.bytes) { return checkedLength(key, path) }
                if contents.isEmpty { contents = file.bytes }
            } catch {
                if !error.isNotFound {
                    trace.debug(.debug1, .identity, "load pubkey \"\(path)\": \(error.reason)")
                }
            }
        }
        return UserKey(privateKeyFile: contents).flatMap { checkedLength($0, path) }
    }

    private func checkedLength(_ key: UserKey, _ path: String) -> UserKey? {
        guard let bits = key.rsaBits, bits < options.requiredRSASize else { return key }
        trace.say(.error, "load pubkey \"\(path)\": Invalid key length")
        return nil
    }

    // MARK: - Private halves

    /// What a file gave.
    enum Loaded {
        case key(PrivateKey)
        /// There is no such file.
        case missing
        /// No key, and why; what is to be said was said.
        case nothing(String)
    }

    /// Reads a private key, asking for its passphrase (sshconnect2.c, `load_identity_file`).
    func privateKey(_ identity: LoginIdentity) -> Loaded {
        let files = IdentityFile(
            isEC2: LoginFacts.isInstance(options),
            fixesPermissions: options.ec2FixKeyPermissions,
            trace: trace
        )
        switch files.load(identity.name, isUserProvided: identity.isUserProvided) {
        case .missing: return .missing
        case .unusable: return .nothing("unusable")
        case .key(let file): return decrypt(file, identity.name, files)
        }
    }

    /// Reads a private key that needs no passphrase, without a word about one that cannot be used.
    ///
    /// With such a key the proof is sent at once: asking first whether the server would take the
    /// key, as ssh does, costs a round trip.
    func readyKey(_ identity: LoginIdentity) -> PrivateKey? {
        if let pushed { return pushed }
        let files = IdentityFile(
            isEC2: false,
            fixesPermissions: false,
            trace: Trace(level: .quiet, sink: { _ in })
        )
        guard case .key(let file) = files.load(identity.name, isUserProvided: false),
            !file.isEncrypted, case .success(let key) = open(file, nil),
            case .key = checkedLength(key, identity.name)
        else { return nil }
        return key
    }

    private func decrypt(_ file: KeyFile, _ path: String, _ files: IdentityFile) -> Loaded {
        var passphrase: String?
        for attempt in 0...max(0, options.numberOfPasswordPrompts) {
            if attempt > 0 {
                passphrase = prompter.ask("Enter passphrase for key '\(path)': ") ?? ""
                if passphrase?.isEmpty != false {
                    trace.debug(.debug2, .identity, "no passphrase given, try next key")
                    break
                }
            }
            switch open(file, passphrase) {
            case .success(let key): return checkedLength(key, path)
            case .failure(.wrongPassphrase) where !options.batchMode: continue
            case .failure(.wrongPassphrase): break
            case .failure(.damaged(let fault)):
                files.say(fault)
                return .nothing(fault.summary)
            case .failure(.other(let reason)): return failed(path, reason)
            }
            break
        }
        return .nothing(PrivateKey.Problem.wrongPassphrase.reason)
    }

    private enum OpenFailure: Error {
        case wrongPassphrase
        case damaged(KeyFileFault)
        case other(String)
    }

    private func open(_ file: KeyFile, _ passphrase: String?) -> Result<PrivateKey, OpenFailure> {
        do {
            let content = try file.importable(passphrase: passphrase)
            return .success(
                try PrivateKey(text: content.text, passphrase: content.passphrase)
            )
        } catch let problem as PrivateKey.Problem {
            return .failure(
                problem == .wrongPassphrase ? .wrongPassphrase : .other(problem.reason)
            )
        } catch let fault as KeyFileFault {
            return .failure(
                fault.problem == .wrongPassphrase ? .wrongPassphrase : .damaged(fault)
            )
        } catch {
            return .failure(.other("\(error)"))
        }
    }

    private func checkedLength(_ key: PrivateKey, _ path: String) -> Loaded {
        guard let bits = key.publicKey.rsaBits, bits < options.requiredRSASize else {
            return .key(key)
        }
        trace.debug(.debug1, .identity, "skipping key \(path): Invalid key length")
        return .nothing("Invalid key length")
    }

    private func failed(_ path: String, _ reason: String) -> Loaded {
        trace.say(.error, "Load key \"\(path)\": \(reason)")
        return .nothing(reason)
    }
}

extension LoginKeys {
    /// What the user calls a key: the comment of its `.pub` file, else its path.
    func comment(_ path: String) -> String {
        guard let line = try? readKeyFile(path + ".pub").bytes.split(separator: 0x0a).first else {
            return path
        }
        let words = line.split(separator: 0x20, maxSplits: 2)
        return words.count > 2 ? String(decoding: words[2], as: UTF8.self) : path
    }

    /// Reads what a file says of a key on a security key.
    ///
    /// Of one with a passphrase that cannot be had: libssh opens files, and knows no such keys.
    func securityKey(_ path: String) -> SecurityKey? {
        guard var text = try? readKeyFile(path).bytes else { return nil }
        defer { wipe(&text) }
        return SecurityKey(text: text)
    }
}

/// No key file is longer (OpenSSH's MAX_KEY_FILE_SIZE).
private let keyFileLimit = 1 << 20

private func readKeyFile(_ path: String) throws(SystemError) -> FileContents {
    try readFile(path, limit: keyFileLimit)
}
