public import AWS

/// Judges host keys by the agent of Systems Manager on a machine, and pins the keys that it lists.
///
/// Processes that meet the same machine at the same time have it asked once.
public struct AgentProof: Sendable {
    private let pins: PinnedHostKeys

    /// Prepares a proof.
    /// - Parameter pins: where keys are kept.
    public init(_ pins: PinnedHostKeys) { self.pins = pins }

    /// Judges the key a server has shown.
    /// - Parameters:
    ///   - blob: the key in SSH's encoding.
    ///   - id: `i-…` or `mi-…`.
    ///   - caller: asks AWS about the machine's region.
    ///   - note: gets sentences for `-v`.
    /// - Returns: what the machine says of the key, now or by what was pinned of it.
    /// - Throws: ``AWS/ServiceError``.
    public func judge(
        _ blob: [UInt8],
        of id: String,
        _ caller: any ServiceCaller,
        note: @Sendable (String) -> Void
    ) async throws(ServiceError) -> HostKeyAnswer {
        let lock = await pins.takeLock(of: id, note: note)
        defer { lock?.remove() }
        if let known = pins.answer(about: blob, of: id, note: note) { return known }
        let listed = try await caller.listedHostKeys(of: id)
        let verdict = listed.judge(blob)
        if verdict == .proven { pins.keep(listed.keys, .ssm, of: id, note: note) }
        return HostKeyAnswer(verdict, .ssm)
    }
}

/// What proofs have in common.
extension PinnedHostKeys {
    /// Waits until nobody else asks AWS about an instance's keys; nil where there can be no lock.
    func takeLock(of id: String, note: @Sendable (String) -> Void) async -> CacheLock? {
        let lock = makeLock(of: id, note: note)
        if let lock, !lock.take() { await lock.wait(shared: false) }
        return lock
    }

    /// What was pinned of a key by AWS's word; nil where a user alone has vouched for it.
    func answer(about blob: [UInt8], of id: String, note: (String) -> Void) -> HostKeyAnswer? {
        let pin = keys(of: id, note: note).first { $0.blob == blob && $0.witness != .user }
        return pin.map { HostKeyAnswer(.proven, $0.witness) }
    }

    /// Keeps all keys of an instance that a witness has told of.
    func keep(_ blobs: [[UInt8]], _ witness: Witness, of id: String, note: (String) -> Void) {
        keep(blobs.map { Pin(blob: $0, witness: witness) }, of: id, note: note)
    }
}
