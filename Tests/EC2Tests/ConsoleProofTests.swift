import AWS
import Foundation
import Testing

@testable import EC2

private let id = "i-0123456789abcdef0"

/// Consoles as witnesses of host keys, read once for all who ask at the same time.
struct ConsoleProofTests {
    private let cache = TestCache()

    private func pins() throws -> PinnedHostKeys {
        try #require(PinnedHostKeys(environment: cache.environment, home: nil))
    }

    private func console(_ keys: KeyVector...) -> ScriptedCaller {
        let lines = keys.map { "\($0.line)\n" }
        let text =
            "-----BEGIN SSH HOST KEY KEYS-----\n" + lines.joined()
            + "-----END SSH HOST KEY KEYS-----\n"
        let output = Data(text.utf8).base64EncodedString()
        return ScriptedCaller(
            delay: .milliseconds(30),
            [
                "GetConsoleOutput": { _ in
                    "<GetConsoleOutputResponse><output>\(output)</output></GetConsoleOutputResponse>"
                }
            ]
        )
    }

    @Test("A key on the console is proven and pinned; who comes later asks nobody")
    func proven() async throws {
        let aws = console(.hostEd25519, .hostRSA)
        for _ in 0..<3 {
            let proof = ConsoleProof(try pins())
            let verdict = try await proof.judge(KeyVector.hostEd25519.blob, of: id, aws) { _ in }
            #expect(verdict == .proven)
        }
        #expect(aws.count("GetConsoleOutput") == 1)
        let kept = try pins().keys(of: id) { _ in }
        #expect(kept.map(\.blob) == [KeyVector.hostEd25519.blob, KeyVector.hostRSA.blob])
        #expect(kept.allSatisfy { $0.witness == .console })
    }

    @Test("Fifty who meet an instance at once read its console once")
    func herd() async throws {
        let aws = console(.hostEd25519)
        let verdicts = try await withThrowingTaskGroup(of: ConsoleHostKeys.Verdict.self) { group in
            for _ in 0..<50 {
                // Each with a cache of its own, as processes have.
                let proof = ConsoleProof(try pins())
                group.addTask {
                    try await proof.judge(KeyVector.hostEd25519.blob, of: id, aws) { _ in }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.count == 50 && verdicts.allSatisfy { $0 == .proven })
        #expect(aws.count("GetConsoleOutput") == 1)
    }

    @Test("What is not on the console is neither proven nor pinned")
    func contradicted() async throws {
        let aws = console(.hostEd25519)
        let proof = ConsoleProof(try pins())
        let verdict = try await proof.judge(KeyVector.hostRSA.blob, of: id, aws) { _ in }
        #expect(verdict == .silent)
        #expect(try pins().keys(of: id) { _ in } == [])
    }

    @Test("A pin that the user alone has vouched for does not prove")
    func userPin() async throws {
        let aws = console()
        let user = PinnedHostKeys.Pin(blob: KeyVector.hostEd25519.blob, witness: .user)
        try pins().keep([user], of: id) { _ in }
        let proof = ConsoleProof(try pins())
        let verdict = try await proof.judge(user.blob, of: id, aws) { _ in }
        #expect(verdict == .silent)
        #expect(aws.count("GetConsoleOutput") == 1)
    }
}
