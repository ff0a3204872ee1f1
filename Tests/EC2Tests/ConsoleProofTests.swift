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
                .verdict
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
                    try await proof.judge(KeyVector.hostEd25519.blob, of: id, aws) { _ in }.verdict
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
        let verdict = try await proof.judge(KeyVector.hostRSA.blob, of: id, aws) { _ in }.verdict
        #expect(verdict == .silent)
        #expect(try pins().keys(of: id) { _ in } == [])
    }

    @Test("A pin that the user alone has vouched for does not prove")
    func userPin() async throws {
        let aws = console()
        let user = PinnedHostKeys.Pin(blob: KeyVector.hostEd25519.blob, witness: .user)
        try pins().keep([user], of: id) { _ in }
        let proof = ConsoleProof(try pins())
        let verdict = try await proof.judge(user.blob, of: id, aws) { _ in }.verdict
        #expect(verdict == .silent)
        #expect(aws.count("GetConsoleOutput") == 1)
    }
}

/// Agents as witnesses of host keys.
struct AgentProofTests {
    private let cache = TestCache()

    private func pins() throws -> PinnedHostKeys {
        try #require(PinnedHostKeys(environment: cache.environment, home: nil))
    }

    private func agent(_ keys: KeyVector...) -> ScriptedCaller {
        let output = keys.map { "\($0.line)\\n" }.joined()
        return ScriptedCaller([
            "AmazonSSM.SendCommand": { _ in "{\"Command\":{\"CommandId\":\"c\"}}" },
            "AmazonSSM.GetCommandInvocation": { _ in
                "{\"Status\":\"Success\",\"StandardOutputContent\":\"\(output)\"}"
            },
        ])
    }

    @Test("Twenty who meet a machine at once have its agent asked once, and pin what it lists")
    func herd() async throws {
        let aws = agent(.hostEd25519, .hostRSA)
        let answers = try await withThrowingTaskGroup(of: HostKeyAnswer.self) { group in
            for _ in 0..<20 {
                let proof = AgentProof(try pins())
                group.addTask {
                    try await proof.judge(KeyVector.hostRSA.blob, of: id, aws) { _ in }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 20)
        #expect(answers.allSatisfy { $0.verdict == .proven && $0.witness == .ssm })
        #expect(aws.count("AmazonSSM.SendCommand") == 1)
        let kept = try pins().keys(of: id) { _ in }
        #expect(kept.map(\.witness) == [.ssm, .ssm])
    }

    @Test("What it does not list is not pinned, and what AWS refuses is thrown")
    func others() async throws {
        let proof = AgentProof(try pins())
        let aws = agent(.otherEd25519)
        let answer = try await proof.judge(KeyVector.hostEd25519.blob, of: id, aws) { _ in }
        #expect(answer.verdict == .contradicted && answer.accounts == nil)
        #expect(try pins().keys(of: id) { _ in } == [])
        await #expect(throws: ServiceError.self) {
            try await proof.judge(KeyVector.hostRSA.blob, of: id, ScriptedCaller([:])) { _ in }
        }
    }

    @Test("The console's accounts come with its verdict, and only where it was read")
    func accounts() async throws {
        let digits = (0..<32).map { String(format: "%02x", $0) }.joined(separator: ":")
        let text = """
            ci-info: +++Authorized keys from /home/rocky/.ssh/authorized_keys for user rocky+++
            ci-info: | ssh-rsa | \(digits) | - | my-key |
            -----BEGIN SSH HOST KEY KEYS-----
            \(KeyVector.hostEd25519.line)
            -----END SSH HOST KEY KEYS-----

            """
        let output = Data(text.utf8).base64EncodedString()
        let aws = ScriptedCaller([
            "GetConsoleOutput": { _ in
                "<GetConsoleOutputResponse><output>\(output)</output></GetConsoleOutputResponse>"
            }
        ])
        for users in [["rocky"], nil] {
            let proof = ConsoleProof(try pins())
            let answer = try await proof.judge(KeyVector.hostEd25519.blob, of: id, aws) { _ in }
            #expect(answer.verdict == .proven && answer.accounts?.users == users)
        }
    }
}
