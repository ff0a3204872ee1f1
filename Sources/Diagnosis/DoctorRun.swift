internal import Arguments
public import Client
internal import Faults

/// `ec2sh doctor [HOST] [--json] [--security]`: looks at everything between here and a host, and
/// names what is in the way.
public struct DoctorRun {
    private let context: Context

    /// Prepares a run.
    /// - Parameter context: what the run shares.
    public init(in context: Context) { self.context = context }

    /// Looks, and prints what was found.
    /// - Returns: 0 when nothing is in the way, 1 when something is, 255 when nobody could tell.
    /// - Throws: what is wrong with AWS's files; ``Posix/SystemError`` when the output takes nothing.
    public func run() throws -> Int32 {
        let words = context.configuration.invocation.words
        let printer = Printer(context, isJSON: words.contains(.long(.json)))
        let isAboutSafety = words.contains(.long(.security))
        let outcome = try HostExamination(in: context, isAboutSafety: isAboutSafety)
            .run { printer.tell($0, $1) }
        try printer.end(outcome.report)
        return outcome.report.verdict.exitStatus
    }
}
