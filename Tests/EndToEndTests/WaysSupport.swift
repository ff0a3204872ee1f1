import Foundation
import TestSupport
import Testing

/// A client that has the key pair, and an account of AWS's that one test has to itself.
struct CloudClient: Sendable {
    /// Tells which instance was reached, and as whom.
    static let question = "echo $LAB_INSTANCE $(id -un)"

    let client: Client
    let aws: CloudAccount

    init() async throws {
        client = try Client.withKey()
        aws = try await CloudAccount()
    }

    var user: LabUser { client.user }

    /// Runs the binary with the account's keys in its environment.
    func run(
        _ arguments: [String],
        _ environment: [String: String] = [:],
        input: ProgramRun.Input = .none,
        limit: Duration = .seconds(40)
    ) async throws -> ProgramRun {
        try await client.run(
            arguments,
            input: input,
            environment: aws.environment.merging(environment) { $1 },
            limit: limit
        )
    }

    /// Runs the binary, and measures what it takes.
    func measure(
        _ arguments: [String],
        _ environment: [String: String] = [:],
        input: ProgramRun.Input = .none,
        limit: Duration = .seconds(60)
    ) async throws -> (run: ProgramRun, cost: RunCost) {
        let file = user.path("cost")
        let run = try await ProgramRun.run(
            ["/usr/bin/python3", "-I", "\(client.lab.root)/tools/measure.py", file, client.binary]
                + client.options + arguments,
            as: user,
            input: input,
            environment: aws.environment.merging(environment) { $1 },
            limit: limit
        )
        let text = try #require(user.contents("cost"), "\(run.errorText)")
        return (run, try JSONDecoder().decode(RunCost.self, from: Data(text.utf8)))
    }

    /// The options that leave one way.
    static func only(_ way: String) -> [String] { ["-o", "EC2Ways=\(way)"] }
}

/// What a run took (`Tests/Lab/measure.py`).
struct RunCost: Decodable {
    /// The greatest resident size, in MiB.
    let peak: Double
    /// Seconds of processor time, of user and system together.
    let processor: Double
}

/// Expects that a run came to an instance, as its user.
func expectReached(
    _ run: ProgramRun,
    _ instance: CloudAccount.Instance,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(run.status == 0, "\(run.errorText)", sourceLocation: sourceLocation)
    #expect(
        run.outputText == "\(instance.id) \(instance.user)\n",
        "\(run.errorText)",
        sourceLocation: sourceLocation
    )
}

/// Expects that there were sessions of Systems Manager, that all are over, and that nothing was done
/// in them that no client may do.
func expectSessionsOver(
    in aws: CloudAccount,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let sessions = try await aws.sessions()
    #expect(!sessions.isEmpty, sourceLocation: sourceLocation)
    #expect(
        sessions.allSatisfy { $0.state == "Terminated" },
        "\(sessions)",
        sourceLocation: sourceLocation
    )
    let violations = try await aws.calls().violations
    #expect(violations == [], sourceLocation: sourceLocation)
}
