import Foundation
import TestSupport
import Testing

/// The binary under test, run by an account of its own against one instance.
struct Client {
    let lab: Lab
    let user: LabUser
    /// Options every run gets, before the test's own.
    var options: [String] = []

    /// A client with an empty home.
    init() throws {
        lab = try Lab.here()
        user = try LabUser()
    }

    /// A client that has the key pair and trusts every host key it meets first.
    static func withKey() throws -> Client {
        var client = try Client()
        let key = try client.user.takeKey()
        client.options = ["-i", key, "-o", "StrictHostKeyChecking=accept-new"]
        return client
    }

    var binary: String { lab.binary ?? "/usr/bin/ssh" }

    /// Runs it with the options and these arguments.
    func run(
        _ arguments: [String],
        input: ProgramRun.Input = .none,
        output: ProgramRun.Output = .collected,
        environment: [String: String] = [:],
        limit: Duration = .seconds(30)
    ) async throws -> ProgramRun {
        try await ProgramRun.run(
            [binary] + options + arguments,
            as: user,
            input: input,
            output: output,
            environment: environment,
            limit: limit
        )
    }
}

/// The lines a person has to read: without the one that says a host key was learnt.
func complaints(_ run: ProgramRun) -> [String] {
    run.errorLines.filter { !$0.hasPrefix("Warning: Permanently added ") }
}

/// Expects that a run failed as a run should: said in a line, two where ssh's own words are two,
/// with a hint at most; 255; in time.
func expectClearWords(
    _ run: ProgramRun,
    within limit: Duration,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let said = run.errorText
    #expect(run.status == 255, "\(said)", sourceLocation: sourceLocation)
    #expect(!run.timedOut, "\(said)", sourceLocation: sourceLocation)
    #expect(run.duration < limit, "\(said)", sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    let lines = complaints(run).filter { !$0.hasPrefix("ec2sh: hint: ") }
    #expect((1...2).contains(lines.count), "\(said)", sourceLocation: sourceLocation)
    let hints = run.errorLines.count { $0.hasPrefix("ec2sh: hint: ") }
    #expect(hints <= 1, "\(said)", sourceLocation: sourceLocation)
    for line in lines {
        #expect(line.utf8.count < 400, sourceLocation: sourceLocation)
        let isPrintable = line.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value)
        }
        #expect(isPrintable, "\(line.debugDescription)", sourceLocation: sourceLocation)
        #expect(!line.contains("Fatal error"), sourceLocation: sourceLocation)
    }
}
