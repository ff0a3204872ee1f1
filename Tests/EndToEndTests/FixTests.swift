import Foundation
import TestSupport
import Testing

/// `ec2sh fix`: broken, mended, a login, taken back, as it was.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct FixTests {
    let cloud: CloudClient
    var aws: CloudAccount { cloud.aws }

    init() async throws { cloud = try await CloudClient() }

    private func fix(
        _ arguments: [String],
        limit: Duration = .seconds(90)
    ) async throws -> ProgramRun {
        try await ProgramRun.run(
            [cloud.client.binary, "fix"] + arguments + cloud.client.options,
            as: cloud.user,
            environment: aws.environment,
            limit: limit
        )
    }

    private func changes() throws -> [String] {
        let text = cloud.user.contents(".local/state/ec2sh/changes.jsonl") ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private static let others: CloudValue = ["ports": [22, 22], "from": ["198.51.100.0/24"]]

    @Test(
        "a group that does not let us in: our own address alone is let in, and no more afterwards"
    )
    func group() async throws {
        try await aws.order("network", ["rules": [Self.others]])
        let web = try await aws.launch("web", DoctorScenario.closed)
        let broken = try await cloud.run([web.id, "true"], ["EC2SH": ""], limit: .seconds(60))
        #expect(broken.status == 255)
        let fixed = try await fix(["--yes", web.id])
        #expect(fixed.status == 0, "\(fixed.outputText)\(fixed.errorText)")
        #expect(
            fixed.outputText.contains("done: let 203.0.113.2/32 in on tcp port 22 by sg-"),
            "\(fixed.outputText)"
        )
        #expect(fixed.outputText.hasSuffix("nothing is in the way to \(web.id)\n"))
        expectReached(try await cloud.run([web.id, CloudClient.question]), web)
        let calls = try await aws.calls(reset: true)
        #expect(calls["ec2:AuthorizeSecurityGroupIngress"] == 1)
        #expect(try cloud.user.mode(".local/state/ec2sh/changes.jsonl") == 0o600)

        let undone = try await fix(["--undo", "--yes", web.id])
        #expect(undone.status == 0, "\(undone.outputText)\(undone.errorText)")
        #expect(undone.outputText.contains("done: let 203.0.113.2/32 no more in"))
        let (report, _, _) = try await cloud.doctor(web.id)
        #expect(report.causes == ["network.security-group"])
        #expect(report.cause?.says.contains("only tcp port 22 from 198.51.100.0/24") == true)
        let again = try await fix(["--undo", "--yes", web.id])
        #expect(again.status == 0 && again.outputText == "there is nothing to take back\n")
        #expect(try await aws.calls()["ec2:RevokeSecurityGroupIngress"] == 1)
    }

    @Test("a key that others can read is closed, and is as it was afterwards")
    func keyMode() async throws {
        let web = try await aws.launch("web")
        try cloud.setMode(0o640, "key.pem")
        let fixed = try await fix(["--yes", web.id])
        #expect(fixed.status == 0, "\(fixed.outputText)\(fixed.errorText)")
        #expect(try cloud.user.mode("key.pem") == 0o600)
        let undone = try await fix(["--undo", "--yes"])
        #expect(undone.status == 0, "\(undone.outputText)\(undone.errorText)")
        #expect(try cloud.user.mode("key.pem") == 0o640)
        #expect(try changes().count == 2)
    }

    @Test("a stopped instance is started, and stopped again")
    func start() async throws {
        let web = try await aws.launch("web", ["ssm": nil, "state": "stopped"])
        let fixed = try await fix(["--yes", web.id])
        #expect(fixed.status == 0, "\(fixed.outputText)\(fixed.errorText)")
        #expect(fixed.outputText.contains("no Elastic IP"))
        #expect(fixed.outputText.contains("done: start \(web.id) in eu-central-1"))
        expectReached(try await cloud.run([web.id, CloudClient.question]), web)
        let undone = try await fix(["--undo", "--yes", web.id])
        #expect(undone.status == 0, "\(undone.outputText)\(undone.errorText)")
        let (report, _, _) = try await cloud.doctor(web.id)
        #expect(report.causes == ["instance.state"])
    }

    @Test("one cause hides another: both are mended")
    func several() async throws {
        try await aws.order("network", ["rules": []])
        let web = try await aws.launch("web", DoctorScenario.closed)
        try cloud.setMode(0o644, "key.pem")
        let fixed = try await fix(["--yes", web.id])
        #expect(fixed.status == 0, "\(fixed.outputText)\(fixed.errorText)")
        #expect(try changes().count == 2)
        expectReached(try await cloud.run([web.id, CloudClient.question]), web)
        let undone = try await fix(["--undo", "--yes", web.id])
        #expect(undone.outputText.split(separator: "\n").count == 2, "\(undone.outputText)")
        #expect(try cloud.user.mode("key.pem") == 0o644)
    }

    @Test("--dry-run and a missing answer change nothing")
    func nothing() async throws {
        try await aws.order("network", ["rules": [Self.others]])
        let web = try await aws.launch("web", DoctorScenario.closed)
        let dry = try await fix(["--dry-run", web.id])
        #expect(dry.status == 1, "\(dry.errorText)")
        #expect(dry.outputText.contains("would let 203.0.113.2/32 in on tcp port 22 by sg-"))
        let silent = try await fix([web.id])
        #expect(silent.status == 255, "\(silent.outputText)")
        #expect(silent.errorLines.last?.contains("--yes") == true, "\(silent.errorText)")
        let calls = try await aws.calls()
        #expect(calls["ec2:AuthorizeSecurityGroupIngress"] == 0)
        #expect(try changes().isEmpty)
    }

    @Test("a person is asked, and a no is a no")
    func asked() async throws {
        let web = try await aws.launch("web")
        for (answer, mode) in [("no", 0o644), ("y", 0o600)] {
            try cloud.setMode(0o644, "key.pem")
            let terminal = PseudoTerminal()
            try cloud.start(["fix", web.id], in: terminal)
            try terminal.wait(for: "key.pem to 0600 (it is 0644)? [y/N] ", seconds: 60)
            terminal.type(answer + "\r")
            try terminal.waitForEnd(seconds: 60)
            #expect(try cloud.user.mode("key.pem") == mode)
        }
    }

    @Test("a refused change is said, and not recorded as made")
    func refused() async throws {
        try await aws.order("network", ["rules": []])
        try await aws.order("deny", ["actions": ["ec2:AuthorizeSecurityGroupIngress"]])
        let web = try await aws.launch("web", DoctorScenario.closed)
        let run = try await fix(["--yes", web.id])
        #expect(run.status == 255)
        #expect(run.errorText.contains("ec2:AuthorizeSecurityGroupIngress"), "\(run.errorText)")
        let undone = try await fix(["--undo", "--yes"])
        #expect(undone.outputText == "there is nothing to take back\n", "\(undone.outputText)")
    }

    @Test("what no change of ours mends is left to the person, with the remedy")
    func byHand() async throws {
        try await aws.order("network", ["routes": []])
        let web = try await aws.launch("web", DoctorScenario.closed)
        let run = try await fix(["--yes", web.id])
        #expect(run.status == 1, "\(run.outputText)\(run.errorText)")
        #expect(run.outputText.contains("found (network): rtb-"))
        #expect(try changes().isEmpty)
    }
}
