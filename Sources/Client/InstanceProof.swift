internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// What vouches for the host key of an instance: the keys that are pinned to its id; its console,
/// which only AWS and the instance's root can write to; and the agent of Systems Manager on it,
/// which AWS has list them.
struct InstanceProof {
    /// What is known of a key.
    enum Verdict: Equatable {
        /// It is the instance's.
        case proven(by: PinnedHostKeys.Witness)
        /// The instance has others.
        case contradicted
        /// Nothing vouches for it, and nothing speaks against it.
        case silent
    }

    private let whereabouts: Whereabouts
    private let context: Context
    private let asksAWS: Bool
    private let pins: PinnedHostKeys

    /// Prepares a proof.
    /// - Returns: nil where there is no instance, or the user has a name of his own for the key.
    init?(_ plan: Plan, in context: Context) {
        guard let whereabouts = plan.whereabouts, plan.options.hostKeyAlias == nil,
            let pins = PinnedHostKeys(environment: context.environment, home: context.user.home)
        else { return nil }
        self.whereabouts = whereabouts
        self.context = context
        self.pins = pins
        asksAWS = plan.options.ec2VerifyHostKey == .auto
    }

    /// Puts the algorithms of pinned keys first.
    /// - Parameter algorithms: HostKeyAlgorithms, in order of preference.
    /// - Returns: nil when nothing is pinned.
    func preferPinned(_ algorithms: [String]) -> [String]? {
        let kinds = pinned.compactMap { HostKey(blob: $0.blob)?.kind }
        if kinds.isEmpty { return nil }
        let isPinned = { kinds.contains(HostKeyKind(algorithm: $0)) }
        return algorithms.filter(isPinned) + algorithms.filter { !isPinned($0) }
    }

    private var pinned: [PinnedHostKeys.Pin] {
        whereabouts.instanceID.map { pins.keys(of: $0, trace: context.trace) } ?? []
    }

    /// Compares a key with those that are pinned; an address that has gone to another instance since
    /// the inventory was read is noticed.
    func compare(_ key: HostKey) throws -> Verdict {
        let verdict = compareWithPins(key)
        guard verdict == .contradicted, !whereabouts.isNamedByID else { return verdict }
        let before = whereabouts.instanceID
        try whereabouts.askAgain()
        // As long as nobody says otherwise it is the same instance, with a key that it has not.
        guard let found = try found(), found.instance.id != before else { return verdict }
        return compareWithPins(key)
    }

    private func compareWithPins(_ key: HostKey) -> Verdict {
        let pinned = pinned
        if let pin = pinned.first(where: { $0.blob == key.blob }) {
            return .proven(by: pin.witness)
        }
        let isOfKind = pinned.contains { HostKey(blob: $0.blob)?.algorithm == key.algorithm }
        return isOfKind ? .contradicted : .silent
    }

    /// Asks AWS about a key, and pins what it says: first by the console, which costs one call; if
    /// that has no word for the key, by the instance's agent.
    func prove(_ key: HostKey) throws -> Verdict {
        guard asksAWS, whereabouts.cloud.hasSigns, let known = try found() else {
            return .silent
        }
        let console = try askConsole(about: key, known)
        if case .proven = console { return console }
        // The console tells of the first start; the agent of now.
        let agent = try askAgent(about: key, known)
        return agent == .silent ? console : agent
    }

    /// Reads the instance's console, which also tells of the accounts there are.
    private func askConsole(about key: HostKey, _ known: KnownInstance) throws -> Verdict {
        if known.isManaged { return .silent }
        let (id, blob, proof) = (known.instance.id, key.blob, ConsoleProof(pins))
        let note = whereabouts.cloud.note
        let limit = InstanceProof.limit
        let answer = try answer(about: known, within: limit) { caller throws(ServiceError) in
            try await proof.judge(blob, of: id, caller, note: note)
        }
        guard let answer else { return .silent }
        if let accounts = answer.accounts { whereabouts.accounts = accounts }
        return Verdict(answer)
    }

    /// Has the instance's agent list its host keys.
    private func askAgent(about key: HostKey, _ known: KnownInstance) throws -> Verdict {
        let (id, blob, proof) = (known.instance.id, key.blob, AgentProof(pins))
        // On Windows another shell would have to be asked, and other files.
        if known.instance.platform == "windows" { return .silent }
        let status = context.statusLine()
        context.poller.add(status)
        defer {
            status.clear()
            context.poller.remove(status)
        }
        status.show("asking Systems Manager for the host keys of \(id)", now: readClock())
        let note = whereabouts.cloud.note
        let limit = InstanceProof.agentLimit
        let answer = try answer(about: known, within: limit) { caller throws(ServiceError) in
            try await proof.judge(blob, of: id, caller, note: note)
        }
        return answer.map(Verdict.init) ?? .silent
    }

    /// - Returns: nil where AWS refuses, or does not answer in time: the user is asked then.
    private func answer<Value: Sendable>(
        about known: KnownInstance,
        within limit: Duration,
        _ work: @escaping @Sendable (any ServiceCaller) async throws(ServiceError) -> Value
    ) throws -> Value? {
        let cloud = whereabouts.cloud
        let start = readClock()
        defer { cloud.printNotes() }
        do {
            let call = try cloud.ask(about: known) { try await work($0) }
            let value = try context.poller.wait(for: call, until: start + limit)
            // Not for want of an answer, but since many others ask as well.
            guard value == nil, cloud.isThrottled else { return value }
            return try context.poller.wait(for: call, until: start + InstanceProof.throttledLimit)
        } catch let fault as ServiceError {
            context.trace.debug(.debug1, .trust, fault.summary)
            return nil
        }
    }

    /// Pins a key that was trusted for another reason, if nothing is pinned yet.
    func pin(_ key: HostKey) {
        guard let id = whereabouts.instanceID, pinned.isEmpty else { return }
        let pin = PinnedHostKeys.Pin(blob: key.blob, witness: .user)
        pins.keep([pin], of: id, trace: context.trace)
    }

    /// The instance's facts, if they can be had soon.
    private func found() throws -> KnownInstance? {
        try context.facts(about: whereabouts, until: readClock() + InstanceProof.limit)
    }

    /// A proof is worth waiting for, but not for ever.
    private static let limit = Duration.seconds(5)
    private static let throttledLimit = Duration.seconds(40)
    /// A command takes the agent about a second; one that is not there is not told apart.
    private static let agentLimit = Duration.seconds(8)
}

extension InstanceProof.Verdict {
    fileprivate init(_ answer: HostKeyAnswer) {
        self =
            switch answer.verdict {
            case .proven: .proven(by: answer.witness)
            case .contradicted: .contradicted
            case .silent: .silent
            }
    }
}

extension PinnedHostKeys.Witness {
    /// What vouches for a key, in messages.
    var name: String {
        switch self {
        case .console: "the instance's console"
        case .ssm: "the instance itself, by Systems Manager"
        case .user: "you"
        }
    }
}
