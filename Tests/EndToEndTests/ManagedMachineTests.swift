import Foundation
import TestSupport
import Testing

/// Machines that Systems Manager looks after and EC2 does not know: `mi-…`.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct ManagedMachineTests {
    let cloud: CloudClient
    var aws: CloudAccount { cloud.aws }

    init() async throws {
        cloud = try await .withKeyAlone()
    }

    private func launch() async throws -> CloudAccount.Instance {
        try await aws.launch("shop", image: "debian", ["managed": true, "public": false])
    }

    @Test("it is reached through Systems Manager, its host key proven there; EC2 is not asked")
    func reached() async throws {
        let shop = try await launch()
        #expect(shop.id.hasPrefix("mi-"))
        let first = try await cloud.reach(
            shop,
            ["-o", "StrictHostKeyChecking=yes", "-l", shop.user]
        )
        #expect(first.errorText.contains("proven by the instance itself"), "\(first.errorText)")
        let calls = try await cloud.newCalls()
        #expect(calls["ssm:DescribeInstanceInformation"] == 1)
        #expect(calls["ssm:StartSession"] == 1)
        #expect(calls.counts.keys.allSatisfy { $0.hasPrefix("ssm") }, "\(calls.counts)")
        #expect(calls.violations == [])
        let second = try await cloud.reach(shop, ["-l", shop.user])
        #expect(second.errorText == "")
        let later = try await cloud.newCalls()
        #expect(later["ssm:DescribeInstanceInformation"] == 0 && later["ssm:SendCommand"] == 0)
        #expect(later["ssm:StartSession"] == 1)
    }

    @Test("its user is found: one's own name first, then what the server lets one guess")
    func user() async throws {
        let shop = try await launch()
        let run = try await cloud.reach(shop, ["-v"])
        let own = cloud.client.user.name
        #expect(
            run.errorText.contains("\(own)@\(shop.id)") || run.errorText.contains("attempt ended: ")
        )
        let again = try await cloud.reach(shop, ["-v"])
        #expect(!again.errorText.contains("attempt ended"), "\(again.errorText)")
    }

    @Test("what is no way to it, an id that nobody knows, and an agent that is away are said")
    func failures() async throws {
        let shop = try await launch()
        let direct = try await cloud.beRefused(by: shop, ["-o", "EC2Ways=direct,endpoint"])
        #expect(direct.errorText.contains("through Systems Manager alone"), "\(direct.errorText)")
        #expect(direct.errorText.contains("EC2Ways=ssm"), "\(direct.errorText)")
        try await aws.set(shop, ["ssm": "ConnectionLost"])
        let away = try await cloud.beRefused(by: shop)
        #expect(away.errorText.contains("is not connected to Systems Manager"), "\(away.errorText)")
        let unknown = try await cloud.run(["mi-0123456789abcdef0", "true"])
        #expect(unknown.status == 255)
        #expect(
            unknown.errorText.contains("no machine of Systems Manager is called"),
            "\(unknown.errorText)"
        )
    }

    @Test(
        "who may not ask what it is can use it all the same; list shows it where it may be asked for"
    )
    func denied() async throws {
        let shop = try await launch()
        let web = try await aws.launch("web")
        func list() async throws -> String {
            let run = try await ProgramRun.run(
                [cloud.client.binary, "list"],
                as: cloud.client.user,
                environment: aws.environment
            )
            #expect(run.status == 0, "\(run.errorText)")
            return run.outputText
        }
        let all = try await list()
        #expect(all.contains(shop.id) && all.contains("shop") && all.contains(web.id), "\(all)")
        try await aws.order("deny", ["actions": ["ssm:DescribeInstanceInformation"]])
        let rest = try await list()
        #expect(!rest.contains(shop.id) && rest.contains(web.id), "\(rest)")
        try await cloud.reach(shop, ["-l", shop.user])
    }
}
