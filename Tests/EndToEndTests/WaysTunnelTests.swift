import Foundation
import TestSupport
import Testing

/// What passes through sessions of Systems Manager: all of it, once, in order, and not slowly.
///
/// Limits of time are generous, as the machine may be busy; `config/dev bench --only tunnel` holds
/// the release binary to its figures.
@Suite(.serialized, .enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysTunnelTests {
    private static let size = 64 << 20

    private let cloud: CloudClient
    private let web: CloudAccount.Instance

    init() async throws {
        cloud = try await CloudClient()
        web = try await cloud.aws.launch("web")
    }

    /// Writes the same bytes wherever it runs, and nothing like them elsewhere.
    private let stream =
        "head -c \(size) /dev/zero | openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f "
        + "-iv 00000000000000000000000000000001"

    @Test("64 MB go up exactly, to an agent as slow as the real one")
    func up() async throws {
        let bytes = noise(Self.size, seed: 11)
        let (run, cost) = try await cloud.measure(
            CloudClient.only("ssm") + [web.id, "sha256sum"],
            input: .bytes(bytes),
            limit: .seconds(240)
        )
        let expected = try await ProgramRun.run(["/usr/bin/sha256sum"], input: .bytes(bytes))
        #expect(expected.output.count > 64)
        #expect(run.output == expected.output, "\(run.errorText)")
        let session = try #require(try await cloud.aws.sessions().first)
        #expect(session.bytesUp > Self.size)
        tell("64 MB up", run, cost, session)
        // Half of what AWS's client reaches.
        #expect(run.duration < .seconds(240), "\(run.duration)")
        #expect(cost.peak < 150)
        #expect(try await cloud.aws.calls().violations == [])
    }

    @Test("64 MB come down exactly, as fast as they are sent")
    func down() async throws {
        try await cloud.aws.order("plan", ["payload": 32768, "pause": 0])
        let expected = try await ProgramRun.run(["/bin/sh", "-c", stream])
        #expect(expected.output.count == Self.size)
        let (run, cost) = try await cloud.measure(
            CloudClient.only("ssm") + [web.id, stream],
            limit: .seconds(240)
        )
        #expect(run.output == expected.output, "\(run.output.count) bytes, \(run.errorText)")
        let session = try #require(try await cloud.aws.sessions().first)
        #expect(session.bytesDown > Self.size)
        tell("64 MB down", run, cost, session)
        #expect(cost.peak < 150)
        #expect(try await cloud.aws.calls().violations == [])
    }

    @Test(
        "A websocket that is cut 50 times under load, both ways, loses and doubles nothing",
        arguments: [UInt64(3)]
    )
    func cuts(seed: UInt64) async throws {
        try await cloud.aws.order(
            "plan",
            [
                "payload": 8192, "pause": 0, "cuts": 50, "seed": .whole(Int(seed)),
                "cut_between": [131_072, 1_572_864],
            ]
        )
        let bytes = noise(24 << 20, seed: seed)
        let (run, cost) = try await cloud.measure(
            CloudClient.only("ssm") + ["-o", "Resume=no", web.id, "cat; echo end >&2; exit 7"],
            input: .bytes(bytes),
            limit: .seconds(240)
        )
        #expect(run.output == bytes, "\(run.output.count) bytes, \(run.errorText)")
        #expect(run.status == 7 && run.errorLines.last == "end", "\(run.errorText)")
        // Nobody above has noticed.
        #expect(complaints(run).filter { !$0.contains("proven") } == ["end"])
        let session = try #require(try await cloud.aws.sessions().first)
        #expect(session.cuts == 50 && session.attached == 51)
        tell("24 MB both ways, 50 cuts", run, cost, session)
        let calls = try await cloud.aws.calls()
        #expect(calls["ssm:StartSession"] == 1)
        #expect(calls.violations == [])
    }

    @Test("Messages that come twice, late or not at all change nothing")
    func disorder() async throws {
        try await cloud.aws.order(
            "plan",
            ["payload": 1024, "pause": 0, "disorder": 0.05, "lose": 0.01]
        )
        let bytes = noise(300_000, seed: 5)
        let run = try await cloud.run(
            CloudClient.only("ssm") + [web.id, "cat"],
            input: .bytes(bytes),
            limit: .seconds(120)
        )
        #expect(run.output == bytes, "\(run.output.count) bytes, \(run.errorText)")
        #expect(run.status == 0)
        #expect(try await cloud.aws.calls().violations == [])
    }

    @Test("The service closes each websocket after a while, as it does every hour: ssh stays")
    func hour() async throws {
        try await cloud.aws.order("plan", ["hour": 0.7])
        let run = try await cloud.run(
            CloudClient.only("ssm") + [
                web.id, "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done",
            ],
            limit: .seconds(60)
        )
        #expect(run.outputText == "1\n2\n3\n4\n5\n6\n", "\(run.errorText)")
        #expect(run.status == 0)
        #expect(complaints(run).filter { !$0.contains("proven") } == [])
        let session = try #require(try await cloud.aws.sessions().first)
        #expect(session.attached >= 4, "\(session)")
        let calls = try await cloud.aws.calls()
        #expect(calls["ssm:StartSession"] == 1)
        #expect(calls["ssm:ResumeSession"] == session.attached - 1)
        #expect(calls.violations == [])
    }

    @Test("An hour that ends while the credentials have ended, too, is taken up with new ones")
    func credentialsEnd() async throws {
        // They are near their end from the start, so that each call takes the newest.
        let keys = cloud.user.path("keys.json")
        func give(_ key: CloudAccount.Key) throws {
            let text = """
                {"Version": 1, "AccessKeyId": "\(key.id)", "SecretAccessKey": "\(key.secret)",
                 "SessionToken": "\(key.token ?? "")", "Expiration": "\(later(60))"}
                """
            try cloud.user.write("keys.json.new", text)
            #expect(rename(keys + ".new", keys) == 0)
        }
        try cloud.user.write("keys.json", "")
        try give(try await cloud.aws.anotherKey(lifetime: 4))
        try cloud.user.write(
            ".aws/config",
            "[profile p]\nregion = eu-central-1\ncredential_process = /bin/cat \(keys)\n"
        )
        try await cloud.aws.order("plan", ["hour": 5])
        let environment = [
            "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "p",
        ]
        async let login = cloud.run(
            CloudClient.only("ssm") + [web.id, "echo begun; sleep 7; echo done"],
            environment,
            limit: .seconds(60)
        )
        while try await cloud.aws.sessions().isEmpty {
            try await Task.sleep(for: .milliseconds(50))
        }
        try give(try await cloud.aws.anotherKey(lifetime: 60))
        let run = try await login
        #expect(run.outputText == "begun\ndone\n", "\(run.errorText)")
        let calls = try await cloud.aws.calls()
        #expect(calls["ssm:ResumeSession"] >= 1)
        #expect(calls.violations == [])
    }

    private func tell(
        _ what: String,
        _ run: ProgramRun,
        _ cost: RunCost,
        _ session: CloudAccount.Session
    ) {
        let frames = session.up + session.down
        print(
            "tunnel: \(what) in \(run.duration), \(cost.processor) s of processor time, "
                + "\(frames) frames, \(Int(cost.peak)) MiB"
        )
    }
}

private func later(_ seconds: Double) -> String {
    ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: seconds))
}
