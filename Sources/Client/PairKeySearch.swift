internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// Looks on this machine for the private key of the key pair that an instance was launched with.
///
/// It is asked for when a server has taken none of the user's own keys, and then once for all
/// logins of a run. Files are candidates by their names; which one is the key is told by what the
/// instance's console, or AWS, says of the key that the instance lets in.
final class PairKeySearch {
    /// What was found out; nil as long as nobody has looked, or could.
    private(set) var facts: KeyPairFacts?
    /// The keys to be tried besides the user's own.
    private(set) var found: [LoginIdentity] = []
    /// The key that is proven to be the pair's, be it one of the user's own or not.
    private(set) var key: LoginIdentity?

    private let whereabouts: Whereabouts
    private let context: Context
    /// What the login has offered, or would have.
    private var own: [LoginIdentity] = []
    private let isAllowed: Bool
    private let hasAgent: Bool

    /// Prepares a search.
    /// - Returns: nil for a machine that no key pair belongs to.
    init?(_ plan: Plan, in context: Context) {
        guard let whereabouts = plan.whereabouts, !whereabouts.isManaged else { return nil }
        self.whereabouts = whereabouts
        self.context = context
        isAllowed = !plan.options.identitiesOnly
        hasAgent = context.agentPath(plan.options) != nil
    }

    /// Takes note of the keys that a login has had.
    func noteOwn(_ identities: [LoginIdentity]) { if facts == nil { own = identities } }

    /// Looks for the key among those that ``noteOwn(_:)`` told of, and in files.
    func search() throws { _ = try search(besides: own) }

    /// Looks for the key, once.
    /// - Parameter own: the keys that the login offers anyway.
    /// - Returns: what to try besides.
    /// - Throws: what a source in the loop throws.
    func search(besides own: [LoginIdentity]) throws -> [LoginIdentity] {
        if facts != nil { return found }
        guard isAllowed else {
            facts = whereabouts.known.map { KeyPairFacts(name: $0.instance.keyName) }
            return []
        }
        let limit = readClock() + PairKeySearch.limit
        guard let known = try context.facts(about: whereabouts, until: limit) else { return [] }
        guard let name = known.instance.keyName else {
            facts = KeyPairFacts(name: nil)
            return []
        }
        let held = heldKeys(name, own)
        var match = KeyPairMatch(
            held.map(\.key),
            pair: whereabouts.cloud.cachedKeyPair(of: known)?.proof,
            authorized: whereabouts.accounts?.proofs ?? []
        )
        if match.proven == nil, !held.isEmpty, let pair = try askForPair(known, until: limit) {
            match = KeyPairMatch(held.map(\.key), pair: pair)
        }
        conclude(name, held, match)
        return found
    }

    private func conclude(_ name: String, _ held: [Held], _ match: KeyPairMatch) {
        var facts = KeyPairFacts(name: name)
        facts.searched =
            PairKeySearch.directories.map { "~/\($0)" } + (hasAgent ? ["the agent"] : [])
        facts.impostors = match.impostors.map { shown(held[$0].identity) }
        if let proven = match.proven {
            key = held[proven].identity
            if !held[proven].key.isOffered { found = [held[proven].identity] }
            facts.place = shown(held[proven].identity)
            context.trace.debug(
                .debug1,
                .identity,
                "\(held[proven].identity.name) is the key of the key pair '\(name)'"
            )
        } else {
            found = match.likely.map { held[$0].identity }
            for identity in found {
                context.trace.debug(
                    .debug1,
                    .identity,
                    "\(identity.name) has the name of the key pair '\(name)'"
                )
            }
        }
        self.facts = facts
    }

    // MARK: - Keys on this machine

    private struct Held {
        let identity: LoginIdentity
        let key: HeldKey
    }

    private func heldKeys(_ name: String, _ own: [LoginIdentity]) -> [Held] {
        var held = own.compactMap { identity -> Held? in
            // A certificate is no key of a pair.
            if identity.key?.certificate != nil { return nil }
            return Held(identity: identity, key: HeldKey(material(of: identity), isOffered: true))
        }
        for candidate in candidates(name) {
            let isKnown = held.contains { $0.identity.name == candidate.path }
            guard !isKnown, let (key, material) = PairKeySearch.read(candidate.path) else {
                continue
            }
            let identity = LoginIdentity(name: candidate.path, key: key)
            if held.contains(where: { $0.identity.isSameKey(as: identity) }) { continue }
            held.append(
                Held(
                    identity: identity,
                    key: HeldKey(material, isNamesake: candidate.isNamesake)
                )
            )
        }
        return held
    }

    private func candidates(_ name: String) -> [KeyCandidates.Candidate] {
        let directories = PairKeySearch.directories.map { directory in
            let path = "\(context.user.home)/\(directory)"
            return (path: path, names: (try? names(inDirectory: path)) ?? [])
        }
        let files = KeyCandidates.files(keyName: name, in: directories)
        return Array(files.prefix(PairKeySearch.mostFiles))
    }

    private func material(of identity: LoginIdentity) -> KeyMaterial {
        let blob = identity.key?.plain.blob
        let isInFile = !identity.isInAgent && !identity.isOnToken
        guard isInFile, identity.key.map({ $0.rsaBits != nil }) ?? true else {
            return KeyMaterial(blob: blob)
        }
        return PairKeySearch.read(identity.name)?.material ?? KeyMaterial(blob: blob)
    }

    /// Reads what a private key's file shows without a passphrase, whoever else can read it.
    /// - Returns: nil for what is no private key.
    private static func read(_ path: String) -> (key: UserKey?, material: KeyMaterial)? {
        guard let facts = try? fileFacts(path: path), facts.kind == .regular,
            var bytes = try? readFile(path, limit: largestFile).bytes
        else { return nil }
        defer { wipe(&bytes) }
        guard let file = try? KeyFile.read(bytes, path: path) else { return nil }
        if !file.isEncrypted, let key = try? PrivateKey(file, passphrase: nil) {
            var info = key.rsaPrivateKeyInfo() ?? []
            defer { wipe(&info) }
            let material = KeyMaterial(
                blob: key.publicKey.blob,
                privateInfo: info.isEmpty ? nil : info
            )
            return (key.publicKey, material)
        }
        let beside = (try? readFile(path + ".pub", limit: largestFile).bytes) ?? []
        let key =
            file.publicKey.flatMap { UserKey(blob: $0.blob) } ?? UserKey(publicKeyFile: beside)
        return (key, KeyMaterial(blob: key?.plain.blob))
    }

    /// A path as people write it; the comment of a key in an agent.
    private func shown(_ identity: LoginIdentity) -> String {
        let home = context.user.home + "/"
        guard !identity.isInAgent, identity.name.hasPrefix(home) else { return identity.name }
        return "~/" + identity.name.dropFirst(home.count)
    }

    // MARK: - AWS

    /// Asks what AWS knows of the pair, unless it has just said so.
    private func askForPair(
        _ known: KnownInstance,
        until limit: Instant
    ) throws -> KeyPairProof? {
        guard whereabouts.cloud.hasSigns else { return nil }
        do {
            let call = try whereabouts.cloud.keyPair(of: known)
            let pair = try context.poller.wait(for: call, until: limit)
            whereabouts.cloud.printNotes()
            return pair??.proof
        } catch let fault as ServiceError {
            context.trace.debug(.debug1, .aws, fault.summary)
            return nil
        }
    }

    /// Below the home directory, in order.
    private static let directories = [".ssh", "Downloads"]
    private static let mostFiles = 64
    /// An RSA key of 16,384 bits has 13 KB.
    private static let largestFile = 64 << 10
    /// The server waits for the login in the meantime.
    private static let limit = Duration.seconds(5)
}
