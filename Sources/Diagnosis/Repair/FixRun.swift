internal import Arguments
public import Client
internal import Faults
internal import Posix
internal import Terminal

/// `ec2sh fix HOST [--yes] [--dry-run | --undo]`: mends what doctor finds, one cause after the other,
/// each change shown, asked for and written down.
public struct FixRun {
    private let context: Context
    private let host: String?
    private let isAgreed: Bool
    private let isDry: Bool
    private let isUndoing: Bool
    private let log: ChangeLog

    /// Prepares a run.
    /// - Parameter context: what the run shares.
    public init(in context: Context) {
        self.context = context
        let invocation = context.configuration.invocation
        host = invocation.destination
        isAgreed = invocation.words.contains(.long(.yes))
        isDry = invocation.words.contains(.long(.dryRun))
        isUndoing = invocation.words.contains(.long(.undo))
        log = ChangeLog(environment: context.environment, home: context.user.home)
    }

    /// Mends.
    /// - Returns: 0 when nothing is in the way any more, or all was taken back; 1 when something is
    ///   left; 255 when nobody could tell, or be asked.
    /// - Throws: what kept a change from being made.
    public func run() throws -> Int32 {
        let mender = Mender(context: context, cloud: try Cloud(in: context))
        return isUndoing ? try undo(mender) : try mend(mender)
    }

    // MARK: - Mending

    private func mend(_ mender: Mender) throws -> Int32 {
        var made: [Change] = []
        for _ in 0..<FixRun.mostRounds {
            let report = try HostExamination(in: context).run().report
            let style = DiagnosisText(isColoured: false, isWordy: false)
            let repairs = report.causes.map(\.finding).filter { $0.repair != nil }
            // A change that has not helped is not made twice.
            let finding = repairs.first { finding in
                finding.repair.map { !made.contains($0) } ?? false
            }
            guard let finding, let change = finding.repair else {
                try say(style.conclusion(report))
                return report.verdict.exitStatus
            }
            try say(["found: \(visible(finding.says.utf8))"])
            if isDry {
                try say(repairs.compactMap(\.repair).map { "would \(visible($0.title.utf8))" })
                return 1
            }
            let warnings = finding.seen.map { "  \(visible($0.utf8))" }
            guard try isWanted(change.title, warnings) else { return 1 }
            try make(change, mender)
            made.append(change)
            if case .start(let instance, _) = change {
                try say(["\(instance) runs; its sshd may take a minute, which a login waits for"])
                return 0
            }
        }
        return 1
    }

    /// Each change may bring to light what it has hidden.
    private static let mostRounds = 5

    private func make(_ change: Change, _ mender: Mender) throws {
        let entry = try log.record(change, host: host ?? "")
        do {
            try mender.make(change)
        } catch {
            try log.markUndone(entry)
            throw error
        }
        try say(["done: \(visible(change.title.utf8))"])
    }

    // MARK: - Undoing

    private func undo(_ mender: Mender) throws -> Int32 {
        let entries = try log.open(host: host)
        if entries.isEmpty { try say(["there is nothing to take back"]) }
        for entry in entries {
            if isDry {
                try say(["would \(visible(entry.change.undoing.utf8))"])
                continue
            }
            guard try isWanted(entry.change.undoing, []) else { return 1 }
            try mender.undo(entry.change)
            try log.markUndone(entry)
            try say(["done: \(visible(entry.change.undoing.utf8))"])
        }
        return 0
    }

    // MARK: - Words

    private func isWanted(_ title: String, _ warnings: [String]) throws -> Bool {
        try say(warnings)
        if isAgreed { return true }
        guard let answer = context.prompter.ask("\(visible(title.utf8))? [y/N] ", .visible) else {
            throw NobodyToAsk(title: title)
        }
        return ["y", "yes"].contains(answer.lowercased())
    }

    private func say(_ lines: [String]) throws(SystemError) {
        if context.trace.level < .info { return }
        try writeAll(1, Array(lines.map { $0 + "\n" }.joined().utf8))
    }
}

/// Says that a change was not made, as nobody could agree to it.
private struct NobodyToAsk: Fault {
    let title: String
    var layer: Layer { .local }
    var summary: String { "nobody is there to be asked whether to \(title)" }
    var hint: Hint? { .advice("agree beforehand with --yes, or look with --dry-run") }
}
