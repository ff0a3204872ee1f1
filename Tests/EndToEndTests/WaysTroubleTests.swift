import Foundation
import TestSupport
import Testing

/// What goes wrong on the way to an instance, and is mended or said.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysTroubleTests {
    private let cloud: CloudClient
    private let question = CloudClient.question

    init() async throws { cloud = try await CloudClient() }

    private var aws: CloudAccount { cloud.aws }

    // MARK: - AWS

    @Test(
        "An action that AWS refuses for a while, as it is asked too much, is asked again",
        arguments: [
            ("ec2:DescribeInstances", "RequestLimitExceeded", 503, "direct"),
            ("ec2:GetConsoleOutput", "RequestLimitExceeded", 503, "direct"),
            ("ec2:DescribeInstanceConnectEndpoints", "RequestLimitExceeded", 503, "endpoint"),
            ("ssm:StartSession", "ThrottlingException", 400, "ssm"),
            ("ec2-instance-connect:SendSSHPublicKey", "ThrottlingException", 400, "direct"),
        ]
    )
    func throttled(action: String, code: String, status: Int, way: String) async throws {
        let web = try await aws.launch("web", ["accepts_key": .truth(!action.contains("Key"))])
        try await aws.endpoint()
        // More than the standard retry mode bears.
        try await aws.order(
            "fail",
            [
                "action": .text(action), "code": .text(code), "status": .whole(status),
                "times": 3, "message": "Rate exceeded",
            ]
        )
        let run = try await cloud.run(
            CloudClient.only(way) + ["-o", "StrictHostKeyChecking=yes", web.id, question],
            limit: .seconds(90)
        )
        expectReached(run, web)
        #expect(!run.errorText.contains(code) && !run.errorText.contains("Rate"))
        #expect(try await aws.calls()[action] == 4)
    }

    @Test("Throttling that does not end is said, with -v each try of it")
    func alwaysThrottled() async throws {
        let web = try await aws.launch("web")
        try await aws.order("throttle", ["action": "ec2:*", "size": 0, "refill": 0])
        let run = try await cloud.run(["-v", web.id, "true"], ["AWS_MAX_ATTEMPTS": "3"])
        #expect(run.status == 255)
        let tries = run.errorLines.count { $0.hasSuffix("trying again") }
        #expect(tries == 2, "\(run.errorText)")
        #expect(run.errorText.contains("RequestLimitExceeded"), "\(run.errorText)")
        let hint = "ec2sh: hint: AWS takes fewer requests for a while: try again in a minute"
        #expect(run.errorLines.contains(hint), "\(run.errorText)")
    }

    @Test(
        "A clock of ours that is hours wrong is set right, for calls, tunnels and sessions",
        arguments: ["direct", "endpoint", "ssm"],
        [7200, -7200]
    )
    func clock(way: String, seconds: Int) async throws {
        let web = try await aws.launch("web")
        try await aws.endpoint()
        try await aws.order("clock", ["seconds": .whole(seconds)])
        let run = try await cloud.run(CloudClient.only(way) + [web.id, question])
        expectReached(run, web)
        let calls = try await aws.calls()
        #expect(calls.counts.filter { $0.key.hasSuffix(":refused") }.values.reduce(0, +) >= 1)
        #expect(calls.violations == [])
    }

    @Test("Of several regions the instance's own is found, by id and by name, and asked")
    func regions() async throws {
        let far = try await aws.launch("far", ["region": "us-east-1", "port": "drop"])
        _ = try await aws.launch("near")
        let regions = ["-o", "EC2Region=eu-central-1,us-east-1,us-west-2"]
        for word in ["far", far.id] {
            expectReached(try await cloud.run(regions + [word, question]), far)
        }
        let calls = try await aws.calls()
        // One question to each region, for both runs.
        #expect(calls["ec2:DescribeInstances"] == 3)
        #expect(calls["ssm:StartSession"] == 2)
        #expect(calls.violations == [])
        let elsewhere = try await cloud.run(["-o", "EC2Region=us-west-2", far.id, question])
        #expect(elsewhere.status == 255)
        #expect(elsewhere.errorText.contains("us-west-2"), "\(elsewhere.errorText)")
        let list = try await ProgramRun.run(
            [cloud.client.binary, "list"] + regions,
            as: cloud.user,
            environment: aws.environment
        )
        for name in ["far", "near"] { #expect(list.outputText.contains(name)) }
    }

    @Test("A twin in another region makes a name ambiguous: both are listed with their regions")
    func twins() async throws {
        let here = try await aws.launch("twin")
        let there = try await aws.launch("twin", ["region": "us-west-2"])
        let regions = ["-o", "EC2Region=eu-central-1,us-west-2"]
        let run = try await cloud.run(regions + ["twin", question])
        #expect(run.status == 255)
        for one in [here, there] { #expect(run.errorText.contains(one.id), "\(run.errorText)") }
        expectReached(try await cloud.run(regions + [there.id, question]), there)
    }

    @Test("A role that wants a code of a device asks for it on the terminal, once for both runs")
    func device() async throws {
        let serial = "arn:aws:iam::\(aws.id):mfa/jane"
        try await aws.order("device", ["serial": .text(serial), "code": "123456"])
        let web = try await aws.launch("web")
        let place = try Workplace()
        try place.user.write(
            ".aws/config",
            """
            [profile admin]
            region = eu-central-1
            role_arn = arn:aws:iam::\(aws.id):role/admin
            source_profile = base
            mfa_serial = \(serial)
            """
        )
        try place.user.write(
            ".aws/credentials",
            "[base]\naws_access_key_id = \(aws.key.id)\naws_secret_access_key = \(aws.key.secret)\n"
        )
        let variables = ["AWS_CA_BUNDLE": aws.cloud.ca, "AWS_EC2_METADATA_DISABLED": "true"]
        let words = [place.ssh, "-o", "EC2Profile=admin", web.id, question]
        // Standard input is not the terminal: it belongs to the command.
        try await place.atTerminal(
            ["/bin/sh", "-c", "\"$@\" </dev/null", "sh"] + words,
            environment: variables
        ) { terminal in
            try terminal.wait(for: "Enter MFA code for \(serial): ")
            terminal.type("123456\n")
            try terminal.wait(for: "\(web.id) \(web.user)")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
        // The role's keys are kept where the aws command keeps them.
        let again = try await place.run(words, environment: variables)
        #expect(again.outputText == "\(web.id) \(web.user)\n", "\(again.errorText)")
        #expect(try await aws.calls()["sts:AssumeRole"] == 1)
        #expect(try await aws.calls().violations == [])
    }

    @Test("A wrong code, or nobody to give one, is said")
    func wrongDevice() async throws {
        let serial = "arn:aws:iam::\(aws.id):mfa/jane"
        try await aws.order("device", ["serial": .text(serial), "code": "123456"])
        let web = try await aws.launch("web")
        try cloud.user.write(
            ".aws/config",
            """
            [profile admin]
            region = eu-central-1
            role_arn = arn:aws:iam::\(aws.id):role/admin
            credential_source = Environment
            mfa_serial = \(serial)
            """
        )
        let nobody = try await cloud.run(["-o", "EC2Profile=admin", web.id, question])
        #expect(nobody.status == 255)
        #expect(nobody.errorText.contains("wants a code of \"\(serial)\""), "\(nobody.errorText)")
        let place = try Workplace()
        let config = try #require(cloud.user.contents(".aws/config"))
        try place.user.write(".aws/config", config)
        try await place.atTerminal(
            [place.ssh, "-o", "EC2Profile=admin", web.id, question],
            environment: aws.environment
        ) { terminal in
            try terminal.wait(for: "Enter MFA code for \(serial): ")
            terminal.type("654321\n")
            try terminal.wait(for: "invalid MFA one time pass code")
            #expect(try terminal.waitForEnd() == .exited(255))
        }
    }

    // MARK: - States

    @Test("An instance that stops while its facts are remembered is said to be stopped")
    func stoppedSince() async throws {
        let web = try await aws.launch("web")
        expectReached(try await cloud.run([web.id, question]), web)
        try await aws.set(web, ["state": "stopped"])
        let run = try await cloud.run(["-o", "ConnectTimeout=5", web.id, "true"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("stopped"), "\(run.errorText)")
        #expect(run.errorText.contains("aws ec2 start-instances"), "\(run.errorText)")
    }

    @Test("An instance that is gone while its facts are remembered is said to be gone")
    func goneSince() async throws {
        let web = try await aws.launch("web")
        expectReached(try await cloud.run([web.id, question]), web)
        try await aws.set(web, ["state": "terminated"])
        let run = try await cloud.run(["-o", "ConnectTimeout=3", web.id, "true"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("\(web.id) is terminated"), "\(run.errorText)")
        #expect(!run.errorText.contains("start-instances"), "\(run.errorText)")
    }

    @Test("An instance that was started anew under another address is found there")
    func movedSince() async throws {
        let web = try await aws.launch("web")
        expectReached(try await cloud.run([web.id, question]), web)
        try await aws.set(web, ["public": false])
        expectReached(try await cloud.run(["-o", "ConnectTimeout=5", web.id, question]), web)
    }

    // MARK: - Ways

    @Test("Port 22 is closed: a shell through an endpoint, or without one by Systems Manager, soon")
    func soon() async throws {
        let web = try await aws.launch("web", ["port": "drop"])
        let ssm = try await cloud.run(["-o", "UserKnownHostsFile=none", web.id, question])
        expectReached(ssm, web)
        try await aws.endpoint()
        try FileManager.default.removeItem(atPath: cloud.user.path(".cache"))
        let endpoint = try await cloud.run([web.id, question])
        expectReached(endpoint, web)
        print("closed port: \(ssm.duration) by Systems Manager, \(endpoint.duration) by endpoint")
        // On a quiet machine: 4 and 3 seconds.
        #expect(ssm.duration < .seconds(15) && endpoint.duration < .seconds(12))
    }

    // MARK: - Pushed keys

    @Test("A key is pushed when it is shown, however long a person takes until then")
    func minute() async throws {
        let web = try await aws.launch(
            "web",
            [
                "accepts_key": false,
                "settings": [
                    "AuthenticationMethods password,publickey", "PasswordAuthentication yes",
                ],
            ]
        )
        // A pushed key is good for this long; the person is slower.
        try await aws.order("plan", ["keys": 2])
        let place = try Workplace()
        try await place.atTerminal(
            [place.ssh, "-o", "EC2PushKey=yes", "-l", web.user, web.id, question],
            environment: aws.environment
        ) { terminal in
            try terminal.wait(for: "password: ")
            // Not a wait for something to happen: for time to pass.
            usleep(3_500_000)
            terminal.type("correct horse\n")
            try terminal.wait(for: "\(web.id) \(web.user)")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
        #expect(try await aws.calls()["ec2-instance-connect:SendSSHPublicKey"] == 1)
    }

    @Test(
        "A proxy pushes keys again as long as the ssh above it waits for its person",
        .enabled(
            if: ProcessInfo.processInfo.environment["EC2SH_LONG"] == "1",
            "takes 70 s (EC2SH_LONG=1)"
        )
    )
    func proxyMinute() async throws {
        let web = try await aws.launch("web", ["accepts_key": false])
        let place = try Workplace()
        try place.user.write(".ssh/config", "")
        let command = [
            "/usr/bin/ssh", "-o", "ProxyCommand=\(place.ssh) proxy %h %p %r", "-l", web.user,
            web.id,
            question,
        ]
        try await place.atTerminal(command, environment: aws.environment) { terminal in
            try terminal.wait(for: "Are you sure you want to continue connecting")
            // Longer than a pushed key lives.
            usleep(70_000_000)
            terminal.type("yes\n")
            try terminal.wait(for: "\(web.id) \(web.user)")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
        #expect(try await aws.calls()["ec2-instance-connect:SendSSHPublicKey"] == 2)
    }

    @Test("A server that wants a password besides the key asks for it after a pushed one")
    func keyAndPassword() async throws {
        let web = try await aws.launch(
            "web",
            [
                "accepts_key": false,
                "settings": [
                    "AuthenticationMethods publickey,password", "PasswordAuthentication yes",
                ],
            ]
        )
        let place = try Workplace()
        try await place.atTerminal(
            [place.ssh, "-l", web.user, web.id, question],
            environment: aws.environment
        ) { terminal in
            try terminal.wait(for: "password: ")
            terminal.type("correct horse\n")
            try terminal.wait(for: "\(web.id) \(web.user)")
            #expect(try terminal.waitForEnd() == .exited(0))
        }
    }

    @Test("Each login pushes a key of its own, since the last one's minute may be over")
    func eachLogin() async throws {
        let web = try await aws.launch("web", ["accepts_key": false])
        try await aws.order("plan", ["keys": 1])
        for count in 1...2 {
            expectReached(try await cloud.run(["-l", web.user, web.id, question]), web)
            #expect(try await aws.calls()["ec2-instance-connect:SendSSHPublicKey"] == count)
        }
    }
}
