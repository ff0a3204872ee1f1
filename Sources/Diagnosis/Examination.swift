/// Runs checks: those that nothing stands in the way of at once, a bounded number at a time, and
/// all until one moment.
///
///     check ─▶ its dependsOn are settled ─▶ one of them broken? ─ yes ─▶ skipped
///                                                └─ no ─▶ run ─▶ finding
public struct Examination: Sendable {
    /// What is looked at, in the order of the report.
    public let checks: [Check]
    /// How long all of it may take.
    public let limit: Duration
    /// How many are run at a time.
    public let width: Int

    /// Prepares to look.
    /// - Parameters:
    ///   - checks: in the order of the report; one that is not among them is no dependency.
    ///   - limit: how long all of it may take.
    ///   - width: how many are run at a time.
    public init(_ checks: [Check], limit: Duration, width: Int = 16) {
        self.checks = checks
        self.limit = limit
        self.width = width
    }

    private enum Event: Sendable {
        case found(Check.ID, Finding)
        case late
    }

    /// Looks at everything.
    /// - Parameter tell: gets each finding as soon as it is there.
    /// - Returns: a finding for each check, in their order.
    public func run(
        tell: @Sendable (Check, Finding) -> Void = { _, _ in }
    ) async -> [Check.ID: Finding] {
        let (events, inlet) = AsyncStream.makeStream(of: Event.self)
        let limit = limit
        let clock = Task {
            try? await Task.sleep(for: limit)
            inlet.yield(.late)
        }
        var state = State(checks)
        var tasks: [Task<Void, Never>] = []
        func begin() {
            for (check, finding) in state.settle() { tell(check, finding) }
            for check in state.next(width) {
                tasks.append(Task { inlet.yield(.found(check.id, await check.run())) })
            }
        }
        begin()
        // What is not awaited any more may go on until the process ends: nothing waits for it.
        defer { (tasks + [clock]).forEach { $0.cancel() } }
        if state.isDone { return state.findings }
        for await event in events {
            switch event {
            case .found(let id, let finding):
                if let check = state.take(id, finding) { tell(check, finding) }
            case .late:
                for check in checks where state.findings[check.id] == nil {
                    let finding = Finding.unknown("no answer within \(limit)")
                    if let check = state.take(check.id, finding) { tell(check, finding) }
                }
            }
            begin()
            if state.isDone { break }
        }
        return state.findings
    }

    /// Which checks wait, run, and are settled.
    private struct State {
        private(set) var findings: [Check.ID: Finding] = [:]
        private var waiting: [Check]
        private var running: [Check] = []
        private let known: Set<Check.ID>

        init(_ checks: [Check]) {
            waiting = checks
            known = Set(checks.map(\.id))
        }

        var isDone: Bool { waiting.isEmpty && running.isEmpty }

        mutating func take(_ id: Check.ID, _ finding: Finding) -> Check? {
            guard findings[id] == nil,
                let check = running.first(where: { $0.id == id })
                    ?? waiting.first(where: { $0.id == id })
            else { return nil }
            running.removeAll { $0.id == id }
            waiting.removeAll { $0.id == id }
            findings[id] = finding
            return check
        }

        /// Leaves out what is explained already.
        mutating func settle() -> [(Check, Finding)] {
            var settled: [(Check, Finding)] = []
            while let (check, cause) = firstExplained() {
                let finding = Finding.skipped("explained by \(cause)", because: cause)
                _ = take(check.id, finding)
                settled.append((check, finding))
            }
            return settled
        }

        private func firstExplained() -> (Check, Check.ID)? {
            for check in waiting {
                for id in check.dependsOn {
                    guard let finding = findings[id] else { continue }
                    if finding.status == .broken { return (check, id) }
                    if finding.status == .skipped, let cause = finding.cause {
                        return (check, cause)
                    }
                }
            }
            return nil
        }

        /// Takes those whose dependencies are settled.
        mutating func next(_ width: Int) -> [Check] {
            let ready = waiting.filter { check in
                check.dependsOn.allSatisfy { findings[$0] != nil || !known.contains($0) }
            }
            let begun = Array(ready.prefix(max(width - running.count, 0)))
            running += begun
            waiting.removeAll { check in begun.contains { $0.id == check.id } }
            return begun
        }
    }
}
