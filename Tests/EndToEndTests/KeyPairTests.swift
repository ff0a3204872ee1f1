import Foundation
import TestSupport
import Testing

/// The private key of the key pair that an instance was launched with is found where people have
/// it.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct KeyPairTests {
    let cloud: CloudClient
    var aws: CloudAccount { cloud.aws }
    var user: LabUser { cloud.client.user }

    init() async throws { cloud = try await .withoutKey() }

    /// The three kinds of key pair, by name, and the lab's private key of each.
    private static let pairs = [
        ("my-key", "rsa"), ("my-key-imported", "rsa"), ("my-key-ed25519", "ed25519"),
    ]

    @Test("a new instance's key is found in ~/Downloads with two calls, the next login has none")
    func downloads() async throws {
        try user.takeKey("stranger", as: ".ssh/id_ed25519")
        try user.takeKey("rsa", as: "Downloads/my-key.pem", mode: 0o644)
        let rocky = try await aws.launch("rocky", image: "rocky")
        let first = try await cloud.reach(rocky)
        let path = user.path("Downloads/my-key.pem")
        #expect(
            first.errorLines.filter { $0.contains("my-key") } == [
                "ec2sh: \(path) was readable by others (0644); set to 0600"
            ]
        )
        #expect(try user.mode("Downloads/my-key.pem") == 0o600)
        let calls = try await cloud.newCalls()
        #expect(calls.total <= 2, "\(calls.counts)")
        #expect(calls["ec2-instance-connect:SendSSHPublicKey"] == 0)
        let second = try await cloud.reach(rocky)
        #expect(second.errorText == "")
        #expect(try await cloud.newCalls().counts == [:])
    }

    @Test(
        "each kind of key pair is told from others by what AWS gives of it",
        arguments: pairs,
        [true, false]
    )
    func kinds(pair: (name: String, kind: String), hasPublicKey: Bool) async throws {
        try await aws.order("pairs", ["public": .truth(hasPublicKey)])
        // Named like the pair, and another key; the right one has a name of its user's own.
        try user.takeKey("stranger", as: ".ssh/\(pair.name).pem")
        try user.takeKey(pair.kind, as: "Downloads/work.pem", mode: 0o644)
        let web = try await aws.launch("web", ["key_name": .text(pair.name)])
        try await aws.set(web, ["console": CloudClient.console(web)])
        let run = try await cloud.reach(web, ["-v"])
        #expect(try user.mode("Downloads/work.pem") == 0o600)
        #expect(run.errorText.contains("Downloads/work.pem is the key of the key pair"))
        let offered = run.errorLines.filter { $0.contains("offering public key") }
        #expect(offered.count == 1, "\(run.errorText)")
        let calls = try await cloud.newCalls()
        #expect(calls["ec2:DescribeKeyPairs"] == 1)
        #expect(calls["ec2-instance-connect:SendSSHPublicKey"] == 0)
        #expect(calls.violations == [])
    }

    @Test("a pair that AWS has told of is known: no call, even when the last login is forgotten")
    func cached() async throws {
        try user.takeKey("ed25519", as: ".ssh/work.key")
        let web = try await aws.launch("web", ["key_name": "my-key-ed25519"])
        try await aws.set(web, ["console": CloudClient.console(web)])
        try await cloud.reach(web)
        #expect(try await cloud.newCalls()["ec2:DescribeKeyPairs"] == 1)
        try FileManager.default.removeItem(atPath: user.path(".cache/ec2sh/logins"))
        try await cloud.reach(web)
        #expect(try await cloud.newCalls().counts == [:])
    }

    @Test("a key that was named stays first, and the pair's follows it")
    func named() async throws {
        let stranger = try user.takeKey("stranger", as: "named.pem")
        try user.takeKey("rsa", as: ".ssh/my-key.pem")
        let web = try await aws.launch("web")
        for _ in 0..<2 {
            let run = try await cloud.reach(web, ["-v", "-i", stranger])
            let tried = run.errorLines.filter {
                $0.contains("offering public key") || $0.contains("trying private key")
            }
            #expect(tried.count == 2, "\(run.errorText)")
            #expect(tried.first?.contains("named.pem") == true)
            #expect(tried.last?.contains("my-key.pem") == true)
        }
    }

    @Test("the key that worked is remembered, though it is no more named")
    func remembered() async throws {
        let key = try user.takeKey("ed25519", as: "somewhere/key")
        let web = try await aws.launch("web")
        try await cloud.reach(web, ["-i", key])
        _ = try await cloud.newCalls()
        let run = try await cloud.reach(web, ["-v"])
        #expect(run.errorText.contains("will attempt key: \(key)"), "\(run.errorText)")
        #expect(try await cloud.newCalls().counts == [:])
    }

    @Test("IdentitiesOnly allows no search, and the last line says so")
    func identitiesOnly() async throws {
        let stranger = try user.takeKey("stranger", as: "named.pem")
        try user.takeKey("rsa", as: ".ssh/my-key.pem")
        let web = try await aws.launch("web")
        let options = ["-o", "IdentitiesOnly=yes", "-o", "EC2PushKey=no", "-i", stranger]
        let run = try await cloud.beRefused(by: web, options)
        let last = run.errorLines.last ?? ""
        #expect(last.hasPrefix("ec2sh: hint: "), "\(run.errorText)")
        #expect(last.contains("'my-key'") && last.contains("IdentitiesOnly"), "\(last)")
        #expect(try await cloud.newCalls()["ec2:DescribeKeyPairs"] == 0)
    }

    @Test(
        "a key that is nowhere: the last line names the pair, where it was looked for, the remedy"
    )
    func nowhere() async throws {
        try user.takeKey("stranger", as: ".ssh/id_ed25519")
        let web = try await aws.launch("web", ["key_name": "my-key-ed25519"])
        let run = try await cloud.beRefused(by: web, ["-o", "EC2PushKey=no"])
        let last = run.errorLines.last ?? ""
        #expect(
            last
                == "ec2sh: hint: the instance's key pair is 'my-key-ed25519', whose private key is "
                + "not in ~/.ssh or ~/Downloads; name it with -i",
            "\(run.errorText)"
        )
        try FileManager.default.removeItem(atPath: user.path(".ssh/id_ed25519"))
        try user.takeKey("stranger", as: "Downloads/my-key-ed25519.pem")
        let other = try await cloud.beRefused(by: web, ["-o", "EC2PushKey=no"]).errorLines.last
        #expect(
            other?.contains("~/Downloads/my-key-ed25519.pem has another key") == true,
            "\(other ?? "")"
        )
    }

    @Test("among many keys of an agent the pair's is found, though the server counts tries")
    func agent() async throws {
        let web = try await aws.launch("web", ["key_name": "my-key-ed25519"])
        let key = try user.takeKey("ed25519", as: "key")
        let script = """
            eval $(ssh-agent -a \(user.path("agent"))) >/dev/null
            trap 'kill $SSH_AGENT_PID' EXIT
            for n in 1 2 3 4 5 6 7 8; do
                ssh-keygen -q -t ed25519 -N '' -f other$n && ssh-add -q other$n
            done
            ssh-add -q \(key) && rm \(key) other*
            "$@"
            """
        let question = CloudClient.question
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", cloud.client.binary] + cloud.client.options
                + ["-o", "EC2PushKey=no", web.id, question],
            as: user,
            environment: aws.environment,
            limit: .seconds(60)
        )
        #expect(run.outputText == "\(web.id) \(web.user)\n", "\(run.errorText)")
    }

    @Test("without the permission to ask for the pair its name is what a file is tried for")
    func denied() async throws {
        try user.takeKey("rsa", as: "Downloads/my-key (1).pem")
        try user.takeKey("stranger", as: "Downloads/other.pem")
        let web = try await aws.launch("web")
        try await aws.set(web, ["console": CloudClient.console(web)])
        try await aws.order("deny", ["actions": ["ec2:DescribeKeyPairs"]])
        let run = try await cloud.reach(web, ["-v"])
        #expect(!run.errorText.contains("other.pem"), "\(run.errorText)")
    }

    @Test(
        "the console names the user and the key: two calls, with neither image nor pair asked for"
    )
    func console() async throws {
        try user.takeKey("ed25519", as: "Downloads/mine.pem")
        let rocky = try await aws.launch("rocky", image: "rocky", ["key_name": "my-key-ed25519"])
        let run = try await cloud.reach(rocky, ["-v"])
        #expect(!run.errorText.contains("attempt ended"), "\(run.errorText)")
        let counts = try await cloud.newCalls().counts
        #expect(counts == ["ec2:DescribeInstances": 1, "ec2:GetConsoleOutput": 1])
    }
}
