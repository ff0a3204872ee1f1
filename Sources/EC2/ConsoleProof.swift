public import AWS

/// What AWS has said of a host key, and by whom.
public struct HostKeyAnswer: Sendable, Equatable {
    /// What is to be thought of the key.
    public let verdict: ConsoleHostKeys.Verdict
    /// Who has said so.
    public let witness: PinnedHostKeys.Witness
    /// The accounts that the console has named; nil when it was not read.
    public var accounts: ConsoleAccounts?

    init(_ verdict: ConsoleHostKeys.Verdict, _ witness: PinnedHostKeys.Witness) {
        self.verdict = verdict
        self.witness = witness
    }
}

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
    ) async throws(ServiceError) -> HostKeyAnswer {
        let lock = await pins.takeLock(of: id, note: note)
        defer { lock?.remove() }
        if let known = pins.answer(about: blob, of: id, note: note) { return known }
        let output = try await caller.consoleOutput(of: id)
        let console = ConsoleHostKeys(output: output)
        var answer = HostKeyAnswer(console.judge(blob), .console)
        answer.accounts = ConsoleAccounts(output: output)
        if answer.verdict == .proven {
            pins.keep(console.keys.isEmpty ? [blob] : console.keys, .console, of: id, note: note)
        }
        return answer
    }
}
