internal import SSH
internal import SSHConfig

/// A key that may be tried: where it is, and what is known of it.
struct LoginIdentity: Equatable {
    /// The path of the private key, or of the certificate; the comment of a key of the agent's.
    var name: String
    /// The public key or certificate; nil when only the private key's file can tell.
    var key: UserKey?
    /// Whether the user named it, so that its absence is worth a word.
    var isUserProvided = false
    /// Whether the agent has it.
    var isInAgent = false
    /// Whether it is on PKCS11Provider's token.
    var isOnToken = false
    /// Whether it was tried since the last partial success.
    var isTried = false

    /// As OpenSSH's debug messages show it.
    func description(_ hash: FingerprintHash) -> String {
        let known = key.map { " \($0.shortName) \($0.plain.fingerprint(hash))" } ?? " "
        let note = key?.isOnSecurityKey == true ? " authenticator" : ""
        return name + known + (isUserProvided ? " explicit" : "") + note
            + (isOnToken ? " token" : "") + (isInAgent ? " agent" : "")
    }
}

extension LoginIdentity {
    /// Whether another one is the same file or the same key.
    func isSameKey(as other: LoginIdentity) -> Bool {
        if let blob = key?.blob, let theirs = other.key?.blob { return blob == theirs }
        return !isInAgent && !other.isInAgent && name == other.name
    }
}

/// The keys of a login, in the order in which they are tried.
struct LoginIdentities {
    /// Every key, the next one first.
    private(set) var queue: [LoginIdentity] = []
    private let accepted: [String]

    /// Puts keys in order (sshconnect2.c, `pubkey_prepare`): certificates that were named, keys of
    /// the agent's that a file names, other keys of the agent's, the other files.
    /// - Parameters:
    ///   - files: the key files, each with its certificate behind it.
    ///   - certificates: the certificate files.
    ///   - agentKeys: what the agent has, in its order.
    ///   - options: IdentitiesOnly, PubkeyAcceptedAlgorithms and RequiredRSASize.
    ///   - skip: told of each key that is left out, and why.
    init(
        files: [LoginIdentity],
        certificates: [LoginIdentity],
        agentKeys: [LoginIdentity],
        options: Options,
        skip: (LoginIdentity, String) -> Void = { _, _ in }
    ) {
        accepted = options.pubkeyAcceptedAlgorithms
        var files = files
        var named = certificates
        var others: [LoginIdentity] = []
        for key in agentKeys {
            if let bits = key.key?.rsaBits, bits < options.requiredRSASize {
                skip(key, "it is shorter than RequiredRSASize")
            } else if let index = files.firstIndex(where: { $0.key?.blob == key.key?.blob }) {
                var file = files.remove(at: index)
                file.isInAgent = true
                named.append(file)
            } else if !options.identitiesOnly {
                others.append(key)
            }
        }
        for identity in named + others + files {
            if let key = identity.key, !key.isAccepted(by: options.pubkeyAcceptedAlgorithms) {
                skip(identity, "its algorithm is not in PubkeyAcceptedAlgorithms")
            } else {
                queue.append(identity)
            }
        }
    }

    /// Adds keys that were found by other means; those that are there already are left out.
    /// - Parameters:
    ///   - more: in the order to try them.
    ///   - first: whether they are the next to be tried, or the last.
    mutating func add(_ more: [LoginIdentity], first: Bool) {
        let new = more.filter { identity in
            let isUsable = identity.key?.isAccepted(by: accepted) ?? true
            return isUsable && !queue.contains { $0.isSameKey(as: identity) }
        }
        queue.insert(contentsOf: new, at: first ? 0 : queue.count)
    }

    /// Makes the first key that fits the next to be tried.
    mutating func prefer(_ fits: (LoginIdentity) -> Bool) {
        guard let index = queue.firstIndex(where: fits) else { return }
        queue.insert(queue.remove(at: index), at: 0)
    }

    /// Takes the next key that was not tried, and puts it at the end.
    mutating func next() -> LoginIdentity? {
        guard let first = queue.first, !first.isTried else { return nil }
        queue.removeFirst()
        queue.append(first)
        queue[queue.count - 1].isTried = true
        return first
    }

    /// After a partial success every key may be tried again.
    mutating func reset() {
        for index in queue.indices { queue[index].isTried = false }
    }

    /// The identity that signs for a certificate: one with the same key, else the file it is named
    /// after (sshconnect2.c, `sign_and_send_pubkey`).
    func signer(for identity: LoginIdentity) -> LoginIdentity {
        guard let key = identity.key, key.certificate != nil else { return identity }
        let samePlainKey = queue.first { other in
            other.key?.certificate == nil && other.key?.plain == key.plain
        }
        let sameFile = { (other: LoginIdentity) in
            other.key == nil
                && ["", ".pub", "-cert.pub"].contains { other.name + $0 == identity.name }
        }
        return samePlainKey ?? queue.first(where: sameFile) ?? identity
    }
}

extension UserKey {
    /// Whether PubkeyAcceptedAlgorithms has an algorithm that this key can sign with.
    func isAccepted(by accepted: [String]) -> Bool {
        var names = [algorithm]
        if plain.kind == .rsa {
            let suffix = certificate == nil ? "" : "-cert-v01@openssh.com"
            names += ["rsa-sha2-512", "rsa-sha2-256"].map { $0 + suffix }
        }
        return names.contains { accepted.contains($0) }
    }
}
