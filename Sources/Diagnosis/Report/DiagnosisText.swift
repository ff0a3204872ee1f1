internal import Faults

/// The report for people: one line for each check, the finding last.
public struct DiagnosisText: Sendable {
    /// Whether lines are coloured.
    public var isColoured: Bool
    /// Whether the facts behind each sentence are shown, and what was left out.
    public var isWordy: Bool

    /// Sets the style.
    /// - Parameters:
    ///   - isColoured: whether lines are coloured.
    ///   - isWordy: whether the facts behind each sentence are shown, and what was left out.
    public init(isColoured: Bool, isWordy: Bool) {
        self.isColoured = isColoured
        self.isWordy = isWordy
    }

    /// What is shown of one check.
    /// - Returns: nothing for what was left out, unless all is wanted.
    public func lines(_ check: Check, _ finding: Finding) -> [String] {
        if finding.status == .skipped && !isWordy { return [] }
        let (mark, colour) = DiagnosisText.mark(finding.status)
        let head = "\(paint(mark, colour)) \(check.title): \(visible(finding.says.utf8))"
        return [head] + (isWordy ? finding.seen.map { "      \(visible($0.utf8))" } : [])
    }

    /// What all of it means.
    public func conclusion(_ report: DiagnosisReport) -> [String] {
        let subject = report.host ?? "this machine"
        switch report.verdict {
        case .healthy:
            return [paint("nothing is in the way", green) + (report.host.map { " to \($0)" } ?? "")]
        case .unknown:
            let open = report.rows.filter { $0.finding.status == .unknown }
            let remedies = open.compactMap(\.finding.remedy).first
            return [paint("could not tell what \(subject) lacks", yellow)] + remedy(remedies)
        case .broken:
            return report.causes.flatMap { row in
                [
                    "\(paint("found", red)) (\(row.check.layer.title)): "
                        + visible(row.finding.says.utf8)
                ] + remedy(row.finding.remedy)
            }
        }
    }

    private func remedy(_ hint: Hint?) -> [String] {
        hint.map { ["  \(visible($0.text.utf8))"] } ?? []
    }

    private func paint(_ text: String, _ colour: String) -> String {
        isColoured ? "\u{1b}[\(colour)m\(text)\u{1b}[0m" : text
    }

    private static func mark(_ status: Finding.Status) -> (String, String) {
        switch status {
        case .ok: ("ok     ", green)
        case .note: ("note   ", yellow)
        case .broken: ("broken ", red)
        case .unknown: ("unknown", yellow)
        case .skipped: ("skipped", dim)
        }
    }
}

private let green = "32"
private let yellow = "33"
private let red = "31"
private let dim = "2"
