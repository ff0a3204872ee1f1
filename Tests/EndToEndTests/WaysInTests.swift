import Foundation
import TestSupport
import Testing

/// Instances in an account of AWS's: found by any name, reached by whatever way there is.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysInTests {
    private let cloud: CloudClient
    private let question = CloudClient.question

    init() async throws { cloud = try await CloudClient() }

    private var client: Client { cloud.client }
    private var aws: CloudAccount { cloud.aws }

    // MARK: - Names

    @Test("an instance is found by its id, Name, a tag, its names and its addresses")
    func names() async throws {
        let web = try await aws.launch("web", ["tags": ["Role": "front"]])
        let words = [web.id, "web", web.publicName, web.publicAddress].compactMap { $0 }
        #expect(words.count == 4)
        for word in words {
            expectReached(try await cloud.run([word, question]), web)
        }
        let byTag = ["-o", "EC2Instance=tag:Role=front", "front", question]
        expectReached(try await cloud.run(byTag), web)
        #expect(try await aws.calls().violations == [])
    }

    @Test("a name that several instances have is not guessed at: they are listed")
    func several() async throws {
        let twins = try await aws.launch(count: 2, nil, ["tags": ["Name": "twin"]])
        for words in [["twin"], ["-o", "EC2Instance=tag:Name=twin", "twin"]] {
            let run = try await cloud.run(words + [question])
            #expect(run.status == 255)
            for twin in twins { #expect(run.errorText.contains(twin.id), "\(run.errorText)") }
        }
    }

    // MARK: - Ways

    @Test("port 22 is closed: the way leads through an endpoint")
    func endpoint() async throws {
        let web = try await aws.launch("web")
        try await aws.endpoint()
        try await aws.set(web, ["port": "drop"])
        let run = try await cloud.run([web.id, question])
        expectReached(run, web)
        #expect(run.duration < .seconds(10), "\(run.duration)")
        #expect(try await aws.calls().violations == [])
    }

    @Test("no endpoint: the way leads through Systems Manager")
    func systemsManager() async throws {
        let web = try await aws.launch("web")
        try await aws.set(web, ["port": "drop"])
        let run = try await cloud.run([web.id, question])
        expectReached(run, web)
        #expect(run.duration < .seconds(12), "\(run.duration)")
        let calls = try await aws.calls()
        #expect(calls.violations == [])
        #expect(calls["ssm:StartSession"] == 1)
        // By a word to the agent, or by the API where that is late.
        #expect(try await aws.sessions().map(\.state) == ["Terminated"])
    }

    @Test("an instance without a public address is not tried directly")
    func noAddress() async throws {
        let inner = try await aws.launch("inner", ["public": false])
        try await aws.endpoint()
        let run = try await cloud.run(["-v", "inner", question])
        #expect(run.outputText == "\(inner.id) \(inner.user)\n", "\(run.errorText)")
        #expect(!run.errorText.contains("Connecting to"), "\(run.errorText)")
        #expect(run.errorText.contains("\(inner.id) has no public address"), "\(run.errorText)")
    }

    @Test("what passes through a tunnel comes out as it went in", arguments: ["endpoint", "ssm"])
    func content(way: String) async throws {
        let web = try await aws.launch("web")
        try await aws.endpoint()
        try await aws.order("plan", ["payload": 8192, "pause": 0])
        let bytes = noise(4_000_000, seed: 7)
        let run = try await client.run(
            ["-o", "EC2Ways=\(way)", web.id, "cat; echo end >&2; exit 7"],
            input: .bytes(bytes),
            environment: aws.environment,
            limit: .seconds(60)
        )
        #expect(run.output == bytes)
        #expect(run.status == 7, "\(run.errorText)")
    }

    @Test("no way at all is one line with what was tried, and a remedy")
    func noWay() async throws {
        let web = try await aws.launch("web")
        try await aws.set(web, ["port": "drop", "ssm": nil])
        let run = try await cloud.run(["-o", "ConnectTimeout=3", web.id, "true"])
        #expect(run.status == 255)
        #expect(run.output.isEmpty)
        #expect(run.errorText.contains("through an endpoint"), "\(run.errorText)")
        #expect(run.errorText.contains("through Systems Manager"), "\(run.errorText)")
        #expect(run.errorLines.contains { $0.hasPrefix("ec2sh: hint: ") }, "\(run.errorText)")
    }

    @Test("a tunnel goes on when the run that made it goes to the background")
    func background() async throws {
        let web = try await aws.launch("web")
        let socket = client.user.home + "/master"
        let through = ["-o", "EC2Ways=ssm", "-o", "ControlPath=\(socket)"]
        let persist = ["-o", "ControlMaster=auto", "-o", "ControlPersist=yes"]
        let first = try await cloud.run(through + persist + [web.id, question])
        expectReached(first, web)
        let check = try await cloud.run(through + ["-O", "check", web.id])
        #expect(check.status == 0, "\(check.errorText)")
        expectReached(try await cloud.run(through + [web.id, question]), web)
        #expect(try await aws.calls()["ssm:StartSession"] == 1)
        let exit = try await cloud.run(through + ["-O", "exit", web.id])
        #expect(exit.status == 0, "\(exit.errorText)")
    }

    @Test("an address that another instance had before does not warn: AWS knows the key")
    func usedAgain() async throws {
        let web = try await aws.launch("web")
        let other = try await aws.launch("other", image: "debian")
        let names = try #require(web.publicName)
        try client.user.write(".ssh/known_hosts", "\(names) \(other.hostKeys[0])\n")
        let run = try await cloud.run(["-o", "StrictHostKeyChecking=yes", names, question])
        expectReached(run, web)
        #expect(!run.errorText.contains("WARNING"), "\(run.errorText)")
    }

    @Test("a server with another key than the instance's is refused, whatever was asked for")
    func fooled() async throws {
        let web = try await aws.launch("web")
        let other = try await aws.launch("other", image: "debian")
        try client.user.write(
            ".cache/ec2sh/hostkeys/\(web.id)",
            other.hostKeys.map { "\(web.id) \($0)\n" }.joined()
        )
        // Neither the console nor the agent vouches for the key that it shows.
        try await aws.set(web, ["console": "", "ssm": nil])
        let run = try await cloud.run(["-o", "StrictHostKeyChecking=no", web.id, question])
        #expect(run.status == 255, "\(run.errorText)")
        #expect(run.output.isEmpty)
        #expect(run.errorText.contains("Host key verification failed."), "\(run.errorText)")
    }

    // MARK: - Login

    @Test("a refused key is followed by one that Instance Connect lets in")
    func push() async throws {
        let web = try await aws.launch("web", ["accepts_key": false])
        expectReached(try await cloud.run([web.id, question]), web)
        #expect(try await aws.calls()["ec2-instance-connect:SendSSHPublicKey"] == 1)
    }

    @Test("the image tells the user where the banner does not")
    func imageUser() async throws {
        let rocky = try await aws.launch("rocky", image: "rocky")
        let run = try await cloud.run(["-v", rocky.id, question])
        #expect(run.outputText == "\(rocky.id) \(rocky.user)\n", "\(run.errorText)")
        #expect(!run.errorText.contains("attempt ended"), "\(run.errorText)")
    }

    @Test("the console proves a host key that nobody has seen, and nobody is asked")
    func console() async throws {
        let web = try await aws.launch("web")
        let first = try await cloud.run(["-o", "StrictHostKeyChecking=yes", web.id, question])
        expectReached(first, web)
        #expect(first.errorText.contains("proven"), "\(first.errorText)")
        try await aws.order("calls", ["reset": true])
        let second = try await cloud.run(["-o", "StrictHostKeyChecking=yes", web.id, question])
        expectReached(second, web)
        #expect(second.errorText == "")
        #expect(try await aws.calls().total == 0)
    }

    // MARK: - States

    @Test("an instance that is stopped is said to be, with the command that starts it")
    func stopped() async throws {
        let web = try await aws.launch("web", ["state": "stopped"])
        let run = try await cloud.run([web.id, "true"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("\(web.id) is stopped"), "\(run.errorText)")
        #expect(run.errorText.contains("aws ec2 start-instances"), "\(run.errorText)")
    }

    @Test("an instance that is being started is waited for")
    func pending() async throws {
        let web = try await aws.launch("web", ["state": "pending"])
        async let login = cloud.run([web.id, question], limit: .seconds(60))
        while try await aws.calls()["ec2:DescribeInstances"] < 2 {
            try await Task.sleep(for: .milliseconds(50))
        }
        try await aws.set(web, ["state": "running"])
        let run = try await login
        expectReached(run, web)
        #expect(run.errorText.contains("is pending; waiting"), "\(run.errorText)")
    }

    // MARK: - Costs

    @Test("a plain host that answers, and what connects to nothing, ask AWS nothing")
    func plainHost() async throws {
        for words in [
            ["admin@debian.lab", "true"], ["-V"], ["-G", "i-0123456789abcdef0"], ["-Q", "cipher"],
        ] {
            let run = try await cloud.run(words)
            #expect(run.status == 0, "\(run.errorText)")
        }
        #expect(try await aws.calls().total == 0)
    }

    @Test(
        "a login to a known instance asks AWS nothing, to a new one at most two things",
        arguments: ["ubuntu", "amazon", "rocky", "debian"],
        [true, false]
    )
    func calls(image: String, isUserGiven: Bool) async throws {
        let web = try await aws.launch("web", image: image)
        let words = (isUserGiven ? ["-l", web.user] : []) + ["-v", web.id, question]
        let first = try await cloud.run(words)
        #expect(first.outputText == "\(web.id) \(web.user)\n", "\(first.errorText)")
        #expect(!first.errorText.contains("attempt ended"), "\(first.errorText)")
        let calls = try await aws.calls(reset: true)
        #expect(calls.total <= 2, "\(calls.counts)")
        let second = try await cloud.run(words)
        #expect(second.outputText == "\(web.id) \(web.user)\n", "\(second.errorText)")
        #expect(try await aws.calls().total == 0)
    }

    // MARK: - Verbs

    @Test("proxy carries ssh's bytes, and nothing else, for OpenSSH's own ssh")
    func proxy() async throws {
        let inner = try await aws.launch("inner", ["public": false, "accepts_key": false])
        try await aws.endpoint()
        let own = try client.user.takeKey()
        let command = "\(client.binary) proxy -i \(own) %h %p %r"
        let run = try await ProgramRun.run(
            [
                "/usr/bin/ssh", "-i", own, "-o", "StrictHostKeyChecking=no",
                "-o", "ProxyCommand=\(command)", "-l", inner.user, inner.id, question,
            ],
            as: client.user,
            environment: aws.environment,
            limit: .seconds(40)
        )
        #expect(run.outputText == "\(inner.id) \(inner.user)\n", "\(run.errorText)")
    }

    @Test("list prints what there is, for people and for programs")
    func list() async throws {
        let web = try await aws.launch("web")
        let db = try await aws.launch("db", ["public": false])
        func list(_ arguments: [String]) async throws -> ProgramRun {
            try await ProgramRun.run(
                [client.binary, "list"] + arguments,
                as: client.user,
                environment: aws.environment
            )
        }
        let table = try await list([])
        #expect(table.status == 0, "\(table.errorText)")
        for one in [web, db] { #expect(table.outputText.contains(one.id)) }
        let only = try await list(["we*", "--json"])
        let parsed = try JSONSerialization.jsonObject(with: only.output) as? [[String: Any]]
        #expect(parsed?.map { $0["id"] as? String } == [web.id])
        #expect(try await list(["nothing-like-it"]).status == 1)
    }
}
