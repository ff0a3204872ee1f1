import Foundation
import TestSupport
import Testing

/// What doctor looks like, and where there is no instance to look at.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct DoctorFormTests {
    private func text(
        _ cloud: CloudClient,
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) async throws -> ProgramRun {
        try await ProgramRun.run(
            [cloud.client.binary, "doctor"] + arguments + cloud.client.options,
            as: cloud.user,
            environment: cloud.aws.environment.merging(environment) { $1 },
            limit: .seconds(60)
        )
    }

    @Test("for people: one line for each check, no colour in a pipe, the cause and its remedy last")
    func lines() async throws {
        let cloud = try await CloudClient()
        try await cloud.aws.order("network", ["rules": []])
        let web = try await cloud.aws.launch("web", DoctorScenario.closed)
        let run = try await text(cloud, ["web"])
        #expect(run.status == 1, "\(run.errorText)")
        let lines = run.outputText.split(separator: "\n").map(String.init)
        #expect(!run.outputText.contains("\u{1b}"))
        #expect(lines.contains { $0.hasPrefix("ok      state: \(web.id) is running") }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("broken  security groups: sg-") })
        #expect(!lines.contains { $0.hasPrefix("skipped") })
        let last = lines.suffix(2)
        #expect(last.first?.hasPrefix("found (network): sg-") == true, "\(lines)")
        #expect(last.last?.hasPrefix("  run: aws ec2 authorize-security-group-ingress") == true)
        #expect(run.errorText == "")
        let wordy = try await text(cloud, ["-v", "web"])
        #expect(wordy.outputText.contains("skipped TCP: explained by network.security-group"))
        let silent = try await text(cloud, ["-q", "web"])
        #expect(silent.status == 1 && silent.outputText == "" && silent.errorText == "")
    }

    @Test("a healthy host takes few calls, and no other than a look")
    func calls() async throws {
        let cloud = try await CloudClient()
        try await cloud.aws.order("policy")
        let web = try await cloud.aws.launch("web")
        let run = try await text(cloud, [web.id])
        #expect(run.status == 0, "\(run.outputText)\(run.errorText)")
        #expect(run.outputText.hasSuffix("nothing is in the way to \(web.id)\n"))
        let counts = try await cloud.aws.calls().counts
        let looks = counts.keys.allSatisfy { name in
            let action = name.drop { $0 != ":" }.dropFirst()
            return action.hasPrefix("Describe") || action.hasPrefix("Get")
        }
        #expect(looks, "\(counts)")
        #expect(counts.values.allSatisfy { $0 <= 2 }, "\(counts)")
    }

    @Test("without a host: this machine and the access to AWS")
    func withoutHost() async throws {
        let cloud = try await CloudClient()
        let (report, run, _) = try await cloud.doctor(nil)
        #expect(report.verdict == "healthy" && run.status == 0, "\(run.outputText)")
        #expect(report.host == nil)
        #expect(Set(report.checks.map(\.layer)) == ["here", "aws"])
        #expect(report["here.address"]?.says.contains("203.0.113.2") == true)
        let identity = try #require(report["aws.credentials"])
        #expect(identity.says.contains("arn:aws:iam::\(cloud.aws.id):user/jane"))
        let environment = ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]
        let (without, other, _) = try await cloud.doctor(nil, environment: environment)
        #expect(without.causes == ["aws.credentials"] && other.status == 1, "\(other.outputText)")
    }

    @Test("a plain host has nothing to do with AWS")
    func plainHost() async throws {
        let cloud = try await CloudClient()
        let lab = cloud.client.lab
        let plain = try lab.instance("plain")
        let environment = ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]
        let (report, run, _) = try await cloud.doctor(
            plain.plainName,
            ["-l", plain.user],
            environment: environment
        )
        #expect(report.verdict == "healthy" && run.status == 0, "\(run.outputText)")
        #expect(Set(report.checks.map(\.layer)) == ["here", "transport", "login", "inside"])
        #expect(report["transport.banner"]?.says == plain.banner)
        let (wrong, other, _) = try await cloud.doctor(
            plain.plainName,
            ["-l", plain.user, "-p", "1"],
            environment: environment
        )
        #expect(wrong.causes == ["transport.tcp"] && other.status == 1, "\(other.outputText)")
        #expect(wrong["login.accepted"]?.because == "transport.tcp")
        #expect(try await cloud.aws.calls().total == 0)
    }

    @Test("--security says what should be safer, and is never an error")
    func security() async throws {
        let cloud = try await CloudClient()
        let web = try await cloud.aws.launch("web")
        let (report, run, _) = try await cloud.doctor(web.id, ["--security"])
        #expect(run.status == 0, "\(run.outputText)")
        #expect(report["safety.open-port"]?.status == "note")
        try await cloud.aws.order(
            "network",
            ["rules": [["ports": [22, 22], "from": ["203.0.113.0/24"]]]]
        )
        let (safe, _, _) = try await cloud.doctor(web.id, ["--security"])
        #expect(safe["safety.open-port"]?.status == "ok")
        #expect(safe["safety.root"]?.status == "ok")
    }

    @Test("secrets are in nothing that is printed")
    func secrets() async throws {
        let cloud = try await CloudClient()
        let web = try await cloud.aws.launch("web")
        let run = try await text(cloud, ["-vvv", "--json", web.id])
        for secret in try await cloud.aws.secrets() {
            #expect(!run.outputText.contains(secret) && !run.errorText.contains(secret))
        }
    }

    @Test("on a terminal lines come as they are known, with colour unless NO_COLOR is set")
    func terminal() async throws {
        let cloud = try await CloudClient()
        let web = try await cloud.aws.launch("web")
        for (environment, isColoured) in [([:], true), (["NO_COLOR": "1"], false)] {
            let terminal = PseudoTerminal(columns: 200, rows: 50)
            try cloud.start(["doctor", web.id], in: terminal, environment)
            #expect(try terminal.waitForEnd(seconds: 60) == .exited(0), "\(terminal.transcript)")
            let text = terminal.transcript
            #expect(text.contains("\u{1b}[32m") == isColoured, "\(text)")
            let state = try #require(text.range(of: " state: \(web.id) is running"))
            let end = try #require(text.range(of: "nothing is in the way"))
            #expect(state.lowerBound < end.lowerBound)
        }
    }

    @Test("a login that fails as nobody answers ends with the cause that AWS knows, and its remedy")
    func failedLogin() async throws {
        let cloud = try await CloudClient()
        try await cloud.aws.order("network", ["rules": []])
        let web = try await cloud.aws.launch("web", DoctorScenario.closed)
        let options = ["-o", "ConnectTimeout=2"]
        let run = try await cloud.run(options + [web.id, "true"], limit: .seconds(60))
        #expect(run.status == 255)
        let last = run.errorLines.suffix(2)
        #expect(
            last.first?.contains("does not let 203.0.113.2 in on tcp port 22") == true,
            "\(run.errorText)"
        )
        #expect(
            last.last?.hasPrefix("ec2sh: hint: run: aws ec2 authorize-security-group-ingress")
                == true
        )
        // Where AWS knows no cause, or may not be asked, all is as it was.
        try await cloud.aws.order("deny", ["actions": ["ec2:DescribeSecurityGroups"]])
        let blind = try await cloud.run(options + [web.id, "true"], limit: .seconds(60))
        #expect(blind.status == 255)
        #expect(!blind.errorText.contains("sg-"), "\(blind.errorText)")
        let quiet = try await cloud.run(["-q"] + options + [web.id, "true"], limit: .seconds(60))
        #expect(quiet.errorText == "")
    }

    @Test("an instance that was launched since others were listed is there")
    func launchedSince() async throws {
        let cloud = try await CloudClient()
        let first = try await cloud.aws.launch("first")
        #expect(try await cloud.doctor(first.id).report.verdict == "healthy")
        let second = try await cloud.aws.launch("second")
        #expect(try await cloud.doctor(second.id).report.verdict == "healthy")
    }

    @Test("inside: a home that others can write in keeps sshd from taking keys; disks and memory")
    func inside() async throws {
        let cloud = try await CloudClient()
        // No other test has instances with this user, whose home is one for all of them.
        let web = try await cloud.aws.launch("web", ["user": "centos"])
        let options = ["-l", "centos"]
        let (report, run, _) = try await cloud.doctor(web.id, options)
        #expect(report.verdict == "healthy", "\(run.outputText)")
        #expect(report["inside.permissions"]?.status == "ok", "\(run.outputText)")
        #expect(report["inside.memory"]?.says.contains("MiB") == true)
        #expect(report["inside.disk"] != nil)
        let opened = try await cloud.run(options + [web.id, "chmod 777 ~"])
        #expect(opened.status == 0)
        let (open, other, _) = try await cloud.doctor(web.id, options)
        _ = try await cloud.run(options + [web.id, "chmod 755 ~"])
        #expect(open.causes == ["inside.permissions"] && other.status == 1, "\(other.outputText)")
        #expect(
            open.cause?.says.contains("/home/centos can be written by others (mode 0777)") == true
        )
        #expect(open.cause?.run == "ec2sh \(web.id) 'chmod go-w /home/centos'")
    }

    @Test("inside: a forced command in the place of a shell is noted, and no false alarm")
    func forcedCommand() async throws {
        let cloud = try await CloudClient()
        let settings: CloudValue = ["ForceCommand echo this is no shell"]
        let web = try await cloud.aws.launch("web", ["settings": settings])
        let (report, run, _) = try await cloud.doctor(web.id)
        #expect(report.verdict == "healthy" && run.status == 0, "\(run.outputText)")
        #expect(report["inside.disk"]?.status == "unknown")
        #expect(report["inside.disk"]?.seen == ["this is no shell"])
    }
}
