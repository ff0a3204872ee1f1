import Foundation
import TestSupport
import Testing

/// What `ec2sh doctor --json` prints.
struct DoctorReport: Decodable {
    struct Check: Decodable {
        let id: String
        let layer: String
        let status: String
        let says: String
        let seen: [String]
        let run: String?
        let advice: String?
        let because: String?
    }

    let version: Int
    let host: String?
    let verdict: String
    let causes: [String]
    let checks: [Check]

    subscript(id: String) -> Check? { checks.first { $0.id == id } }
    /// The first thing that is in the way.
    var cause: Check? { causes.first.flatMap { self[$0] } }
}

extension CloudClient {
    /// Examines a host.
    /// - Returns: the report, the exit status, and how long it took.
    func doctor(
        _ host: String?,
        _ options: [String] = [],
        environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (report: DoctorReport, run: ProgramRun, took: Duration) {
        let clock = ContinuousClock()
        let begun = clock.now
        let run = try await ProgramRun.run(
            [client.binary, "doctor", "--json"] + options + client.options
                + [host].compactMap { $0 },
            as: user,
            environment: aws.environment.merging(environment) { $1 },
            limit: .seconds(90)
        )
        let took = clock.now - begun
        let report = try #require(
            try? JSONDecoder().decode(DoctorReport.self, from: Data(run.outputText.utf8)),
            "\(run.outputText)\(run.errorText)",
            sourceLocation: sourceLocation
        )
        return (report, run, took)
    }

    /// Runs the binary, as the user, in a terminal.
    func start(
        _ arguments: [String],
        in terminal: PseudoTerminal,
        _ environment: [String: String] = [:]
    ) throws {
        let number = "\(user.number)"
        let own = ["HOME": user.home, "USER": user.name, "TERM": "xterm", "PATH": "/usr/bin:/bin"]
        try terminal.start(
            ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--"]
                + [client.binary] + arguments + client.options,
            environment: own.merging(aws.environment) { $1 }.merging(environment) { $1 }
        )
    }
}
