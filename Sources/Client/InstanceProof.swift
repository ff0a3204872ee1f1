internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// What vouches for the host key of an instance: the keys that are pinned to its id, and its console,
/// which only AWS and the instance's root can write to.
struct InstanceProof {
    /// What is known of a key.
    enum Verdict: Equatable {
        /// It is the instance's.
        case proven
        /// The instance has others.
        case contradicted
        /// Nothing vouches for it, and nothing speaks against it.
        case silent
    }

    private let whereabouts: Whereabouts
    private let context: Context
    private let asksConsole: Bool
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
        asksConsole = plan.options.ec2VerifyHostKey == .auto
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
        _ = try found()
        return whereabouts.instanceID == before ? verdict : compareWithPins(key)
    }

    private func compareWithPins(_ key: HostKey) -> Verdict {
        let pinned = pinned
        if pinned.contains(where: { $0.blob == key.blob }) { return .proven }
        let isOfKind = pinned.contains { HostKey(blob: $0.blob)?.algorithm == key.algorithm }
        return isOfKind ? .contradicted : .silent
    }

    /// Reads the instance's console, and pins what it says.
    func askConsole(about key: HostKey) throws -> Verdict {
        guard asksConsole, whereabouts.cloud.hasSigns, let known = try found() else {
            return .silent
        }
        let id = known.instance.id
        let call = try whereabouts.cloud.ask(about: known) { caller in
            ConsoleHostKeys(output: try await caller.consoleOutput(of: id))
        }
        let console: ConsoleHostKeys?
        do {
            console = try context.poller.wait(for: call, until: readClock() + InstanceProof.limit)
        } catch let fault as ServiceError {
            context.trace.debug(.debug1, .trust, fault.summary)
            return .silent
        }
        guard let console else { return .silent }
        switch console.judge(key.blob) {
        case .proven:
            keep(console.keys.isEmpty ? [key.blob] : console.keys, .console, of: id)
            return .proven
        case .contradicted: return .contradicted
        case .silent: return .silent
        }
    }

    /// Pins a key that was trusted for another reason, if nothing is pinned yet.
    func pin(_ key: HostKey) {
        guard let id = whereabouts.instanceID, pinned.isEmpty else { return }
        keep([key.blob], .user, of: id)
    }

    private func keep(
        _ blobs: [[UInt8]],
        _ witness: PinnedHostKeys.Witness,
        of id: String
    ) {
        let keys = blobs.map { PinnedHostKeys.Pin(blob: $0, witness: witness) }
        pins.keep(keys, of: id, trace: context.trace)
    }

    /// The instance's facts, if they can be had soon.
    private func found() throws -> KnownInstance? {
        do {
            try whereabouts.begin()
            let limit = readClock() + InstanceProof.limit
            return try context.poller.wait(about: whereabouts, until: limit) {
                try whereabouts.progress()
            }
        } catch let fault as any Fault {
            context.trace.debug(.debug1, .aws, fault.summary)
            return nil
        }
    }

    /// A proof is worth waiting for, but not for ever.
    private static let limit = Duration.seconds(5)
}
