import TestSupport
import Testing

/// All there is works with the permissions of `config/iam-policy.json`, and with no others.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct PolicyTests {
    let cloud: CloudClient
    var aws: CloudAccount { cloud.aws }

    init() async throws {
        cloud = try await .withoutKey()
        try await aws.order("policy")
    }

    @Test("the cloud refuses what is not in the policy")
    func refuses() async throws {
        struct Answer: Decodable, Sendable { let allowed: Bool }
        for (action, document, isAllowed) in [
            ("ec2:DescribeInstances", nil, true), ("ec2:TerminateInstances", nil, false),
            ("ssm:StartSession", "AWS-StartSSHSession", true),
            ("ssm:StartSession", "AWS-StartNonInteractiveCommand", false),
            ("ssm:SendCommand", "AWS-RunShellScript", true),
            ("ssm:SendCommand", "AWS-RunPatchBaseline", false),
        ] as [(String, String?, Bool)] {
            let fields: [String: CloudValue] = [
                "action": .text(action), "document": document.map { .text($0) } ?? nil,
            ]
            let answer = try await aws.order("allows", fields, as: Answer.self)
            #expect(answer.allowed == isAllowed, "\(action) \(document ?? "")")
        }
    }

    @Test(
        "every way, with a key found for the pair, another user's image, and proofs of both kinds"
    )
    func ways() async throws {
        try cloud.client.user.takeKey("rsa", as: "Downloads/work.pem", mode: 0o644)
        try await aws.endpoint()
        let rocky = try await aws.launch("rocky", image: "rocky")
        try await aws.set(rocky, ["console": CloudClient.console(rocky)])
        try await cloud.reach(rocky)
        for way in ["endpoint", "ssm"] {
            let inner = try await aws.launch("inner", ["public": false, "console": ""])
            let options = ["-o", "EC2Ways=\(way)", "-o", "StrictHostKeyChecking=yes"]
            try await cloud.reach(inner, options)
        }
        let calls = try await aws.calls()
        for action in [
            "ec2:DescribeInstances", "ec2:DescribeImages", "ec2:DescribeKeyPairs",
            "ec2:GetConsoleOutput", "ec2:DescribeInstanceConnectEndpoints", "ssm:StartSession",
            "ssm:SendCommand", "ssm:GetCommandInvocation", "ssmmessages:OpenDataChannel",
        ] {
            #expect(calls[action] > 0, "\(action) was not needed")
        }
        #expect(calls.violations == [])
    }

    @Test("a pushed key, a machine that is not EC2's, and the list of all")
    func rest() async throws {
        let web = try await aws.launch("web", ["accepts_key": false])
        try await cloud.reach(web)
        try cloud.client.user.takeKey("rsa", as: ".ssh/id_rsa")
        let shop = try await aws.launch("shop", ["managed": true, "public": false])
        try await cloud.reach(shop, ["-l", shop.user])
        let list = try await ProgramRun.run(
            [cloud.client.binary, "list"],
            as: cloud.client.user,
            environment: aws.environment
        )
        #expect(list.outputText.contains(web.id) && list.outputText.contains(shop.id))
    }
}
