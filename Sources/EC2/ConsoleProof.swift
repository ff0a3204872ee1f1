public import AWS

/// Judges host keys by consoles, and pins the keys that those tell of.
///
/// Processes that meet the same instance at the same time read its console once: AWS gives out only
/// so many in a second.
public struct ConsoleProof: Sendable {
    private let pins: PinnedHostKeys

    /// Prepares a proof.
    /// - Parameter pins: where keys are kept.
    public init(_ pins: PinnedHostKeys) { self.pins = pins }

    /// Judges the key a server has shown.
    /// - Parameters:
    ///   - blob: the key in SSH's encoding.
    ///   - id: the instance's id.
    ///   - caller: asks AWS about the instance's region.
    ///   - note: gets sentences for `-v`.
    /// - Returns: what the console says of the key, by itself or by what was pinned of it.
    /// - Throws: ``AWS/ServiceError``.
    public func judge(
        _ blob: [UInt8],
        of id: String,
        _ caller: any ServiceCaller,
        note: @Sendable (String) -> Void
    ) async throws(ServiceError) -> ConsoleHostKeys.Verdict {
        let lock = pins.makeLock(of: id, note: note)
        if let lock, !lock.take() { await lock.wait(shared: false) }
        defer { lock?.remove() }
        let proven = PinnedHostKeys.Pin(blob: blob, witness: .console)
        if pins.keys(of: id, note: note).contains(proven) { return .proven }
        let console = ConsoleHostKeys(output: try await caller.consoleOutput(of: id))
        let verdict = console.judge(blob)
        if verdict == .proven {
            let blobs = console.keys.isEmpty ? [blob] : console.keys
            let keys = blobs.map { PinnedHostKeys.Pin(blob: $0, witness: .console) }
            pins.keep(keys, of: id, note: note)
        }
        return verdict
    }
}
