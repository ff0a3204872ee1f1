import Foundation
import TestSupport
import Testing

/// A host key that nobody here knows is proven by AWS, and one that is wrong is never let pass.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct HostKeyProofTests {
    let cloud: CloudClient
    var aws: CloudAccount { cloud.aws }
    var user: LabUser { cloud.client.user }
    private let strict = ["-o", "StrictHostKeyChecking=yes"]

    init() async throws {
        cloud = try await .withKeyAlone()
    }

    /// Pins the host keys of one instance to the id of another.
    private func spoilPins(_ web: CloudAccount.Instance, _ other: CloudAccount.Instance) throws {
        let lines = other.hostKeys.map { "\(web.id) \($0)\n" }.joined()
        try user.write(".cache/ec2sh/hostkeys/\(web.id)", lines)
    }

    @Test("a console that says nothing: the instance's own agent lists its keys")
    func agent() async throws {
        let web = try await aws.launch("web", ["console": ""])
        let run = try await cloud.reach(web, strict)
        #expect(
            complaints(run).contains {
                $0.contains("proven by the instance itself, by Systems Manager")
            },
            "\(run.errorText)"
        )
        let calls = try await cloud.newCalls()
        #expect(calls["ssm:SendCommand"] == 1)
        let pins = try #require(user.contents(".cache/ec2sh/hostkeys/\(web.id)"))
        for key in web.hostKeys {
            let words = key.split(separator: " ").prefix(2).joined(separator: " ")
            #expect(pins.contains("\(web.id) \(words) ssm\n"), "\(pins)")
        }
        let second = try await cloud.reach(web, strict)
        #expect(second.errorText == "")
        #expect(try await cloud.newCalls().counts == [:])
    }

    @Test(
        "who may not ask the agent, or has none, is asked as ssh asks",
        arguments: ["denied", "no agent", "EC2VerifyHostKey no"]
    )
    func quietly(why: String) async throws {
        let web = try await aws.launch("web", ["console": ""])
        var options: [String] = []
        switch why {
        case "denied": try await aws.order("deny", ["actions": ["ssm:SendCommand"]])
        case "no agent": try await aws.set(web, ["ssm": nil])
        default: options = ["-o", "EC2VerifyHostKey=no"]
        }
        let refused = try await cloud.beRefused(by: web, strict + options)
        #expect(refused.errorText.contains("host key is known for"), "\(refused.errorText)")
        #expect(!refused.errorText.contains("Systems Manager"), "\(refused.errorText)")
        let calls = try await cloud.newCalls()
        #expect(calls["ssm:SendCommand"] == (options.isEmpty ? 1 : 0))
        #expect(calls["ec2:GetConsoleOutput"] == (options.isEmpty ? 1 : 0))
        let accepted = try await cloud.reach(
            web,
            ["-o", "StrictHostKeyChecking=accept-new"] + options
        )
        #expect(complaints(accepted) == [], "\(accepted.errorText)")
    }

    @Test(
        "an address that leads to another instance is refused, whatever was asked for",
        arguments: ["accept-new", "no"]
    )
    func fooled(checking: String) async throws {
        let web = try await aws.launch("web", ["console": ""])
        let other = try await aws.launch("other", image: "debian")
        // AWS says that the one is where the other answers.
        try await aws.set(web, ["public": .text(try #require(other.publicAddress))])
        let options = ["-o", "EC2Ways=direct", "-o", "StrictHostKeyChecking=\(checking)"]
        let run = try await cloud.beRefused(by: web, options)
        #expect(
            run.errorText.contains("a host key that the instance does not have"),
            "\(run.errorText)"
        )
        #expect(run.errorText.contains("Host key verification failed."), "\(run.errorText)")
    }

    @Test("a changed key is taken only from the instance itself, and that is said")
    func changed() async throws {
        let web = try await aws.launch("web", ["console": ""])
        let other = try await aws.launch("other", image: "debian")
        try spoilPins(web, other)
        let run = try await cloud.reach(web, strict)
        let said = complaints(run)
        #expect(said.count == 1, "\(run.errorText)")
        #expect(said.first?.contains("host key of \(web.id) has changed") == true, "\(said)")
        #expect(said.first?.contains("proven by the instance itself") == true, "\(said)")
    }

    @Test("a changed key that nobody proves ends the run, whatever was asked for")
    func changedAndSilent() async throws {
        let web = try await aws.launch("web", ["console": ""])
        let other = try await aws.launch("other", image: "debian")
        try await aws.order("deny", ["actions": ["ssm:SendCommand"]])
        for options in [["-o", "EC2VerifyHostKey=auto"], ["-o", "EC2VerifyHostKey=no"]] {
            try spoilPins(web, other)
            let run = try await cloud.beRefused(
                by: web,
                ["-o", "StrictHostKeyChecking=no"] + options
            )
            #expect(run.errorText.contains("Host key verification failed."), "\(run.errorText)")
        }
    }

    @Test("an address whose instance nobody can tell any more keeps its key: nothing is accepted")
    func changedAndOffline() async throws {
        let web = try await aws.launch("web")
        let other = try await aws.launch("other", image: "debian")
        let address = try #require(web.publicAddress)
        let login = ["-o", "EC2Host=yes", "-l", web.user, address, CloudClient.question]
        let first = try await cloud.run(["-o", "StrictHostKeyChecking=accept-new"] + login)
        #expect(first.status == 0, "\(first.errorText)")
        try spoilPins(web, other)
        try await aws.order("deny", ["actions": ["ec2:*", "ssm:*"]])
        let run = try await cloud.run(
            ["-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=/dev/null"] + login
        )
        #expect(run.status == 255 && run.output.isEmpty, "\(run.errorText)")
        #expect(run.errorText.contains("Host key verification failed."), "\(run.errorText)")
    }
}
