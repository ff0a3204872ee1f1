internal import Client
internal import Faults
internal import JSONText
internal import Posix

/// Prints a report to standard output: on a terminal each line as soon as it is known, elsewhere in
/// the report's order.
final class Printer {
    private let style: DiagnosisText
    private let isJSON: Bool
    private let isLive: Bool
    private let isQuiet: Bool

    init(_ context: Context, isJSON: Bool) {
        let isOnTerminal = isTerminal(1)
        let environment = context.environment
        let isPlain =
            environment["NO_COLOR"]?.isEmpty == false || environment["TERM"] == "dumb"
        style = DiagnosisText(
            isColoured: isOnTerminal && !isPlain,
            isWordy: context.trace.level > .info
        )
        self.isJSON = isJSON
        isQuiet = context.trace.level < .info
        isLive = isOnTerminal && !isJSON && !isQuiet
    }

    func tell(_ check: Check, _ finding: Finding) {
        guard isLive else { return }
        // What cannot be printed now is noticed at the end.
        try? print(style.lines(check, finding))
    }

    func end(_ report: DiagnosisReport) throws(SystemError) {
        if isJSON { return try print([report.json.text]) }
        if isQuiet { return }
        var lines: [String] = []
        if !isLive { lines = report.rows.flatMap { style.lines($0.check, $0.finding) } }
        try print(lines + style.conclusion(report))
    }

    private func print(_ lines: [String]) throws(SystemError) {
        try writeAll(1, Array(lines.map { $0 + "\n" }.joined().utf8))
    }
}
