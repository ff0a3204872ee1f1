import TestSupport
import Testing

extension CloudClient {
    /// A client of a test's own making, and an account.
    init(_ client: Client) async throws {
        self.client = client
        aws = try await CloudAccount()
    }

    /// A client with a home that has no key, for runs that ask nobody.
    static func withoutKey() async throws -> CloudClient {
        var client = try Client()
        client.options = ["-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes"]
        return try await CloudClient(client)
    }

    /// A client that has the key pair, for runs that ask nobody, with ssh's own trust.
    static func withKeyAlone() async throws -> CloudClient {
        var client = try Client()
        client.options = ["-i", try client.user.takeKey(), "-o", "BatchMode=yes"]
        return try await CloudClient(client)
    }

    /// Logs in to an instance and expects to have come there, as its user.
    @discardableResult
    func reach(
        _ instance: CloudAccount.Instance,
        _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ProgramRun {
        let run = try await run(options + [instance.id, CloudClient.question], limit: .seconds(60))
        expectReached(run, instance, sourceLocation: sourceLocation)
        return run
    }

    /// Tries to log in and expects to be refused, with nothing on standard output.
    func beRefused(
        by instance: CloudAccount.Instance,
        _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ProgramRun {
        let run = try await run(options + [instance.id, CloudClient.question], limit: .seconds(60))
        let said = Comment(rawValue: run.errorText)
        #expect(run.status == 255, said, sourceLocation: sourceLocation)
        #expect(run.output.isEmpty, said, sourceLocation: sourceLocation)
        return run
    }

    /// What was asked since the last time.
    func newCalls() async throws -> CloudAccount.Calls { try await aws.calls(reset: true) }

    /// A console that tells the host keys and nothing of the users and their keys.
    static func console(_ instance: CloudAccount.Instance) -> CloudValue {
        let keys = instance.hostKeys.map { $0 + "\r\n" }.joined()
        return .text(
            "-----BEGIN SSH HOST KEY KEYS-----\r\n\(keys)-----END SSH HOST KEY KEYS-----\r\n"
        )
    }
}
