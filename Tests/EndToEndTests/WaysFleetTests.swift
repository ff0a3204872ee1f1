import Foundation
import TestSupport
import Testing

/// Scripts that log in to many instances at once: few questions to AWS, and patience where AWS has
/// none.
///
/// `EC2SH_FLEET=full` makes them 300 logins to 100 instances, which takes minutes on two cores.
@Suite(.serialized, .enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysFleetTests {
    private static let isFull = ProcessInfo.processInfo.environment["EC2SH_FLEET"] == "full"
    private static let instances = isFull ? 100 : 20
    private static let logins = 3 * instances
    private static let refusals = 8

    private let cloud: CloudClient

    init() async throws { cloud = try await CloudClient() }

    /// Starts all logins at once, as processes of their own, and waits for them.
    /// - Returns: what each has written, its instance first.
    private func logIn(
        to instances: [CloudAccount.Instance],
        _ options: [String] = []
    ) async throws -> [(instance: CloudAccount.Instance, output: String, errors: String)] {
        let order = (0..<Self.logins).map { instances[$0 % instances.count] }
        try cloud.user.makeDirectory("runs")
        let script = """
            number=0
            for host in \(order.map(\.id).joined(separator: " ")); do
                "$@" "$host" 'echo $LAB_INSTANCE $(id -un)' \
                    >runs/$number.out 2>runs/$number.err </dev/null &
                number=$((number + 1))
            done
            wait
            """
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", cloud.client.binary] + cloud.client.options
                + ["-o", "BatchMode=yes"] + options,
            as: cloud.user,
            environment: cloud.aws.environment,
            limit: .seconds(Self.isFull ? 550 : 200)
        )
        #expect(run.status == 0 && !run.timedOut, "\(run.errorText)")
        print("fleet: \(Self.logins) logins to \(instances.count) instances in \(run.duration)")
        return order.enumerated().map { number, instance in
            (
                instance, cloud.user.contents("runs/\(number).out") ?? "",
                cloud.user.contents("runs/\(number).err") ?? ""
            )
        }
    }

    private func expectAll(
        _ logins: [(instance: CloudAccount.Instance, output: String, errors: String)]
    ) {
        #expect(logins.count == Self.logins)
        for (instance, output, errors) in logins {
            #expect(output == "\(instance.id) \(instance.user)\n", "\(errors)")
            for word in ["Throttling", "RequestLimit", "Rate exceeded", "takes fewer requests"] {
                #expect(!errors.contains(word), "\(errors)")
            }
        }
    }

    @Test("many logins at once, each with a key to prove, ask AWS a handful of times")
    func direct() async throws {
        let fleet = try await cloud.aws.launch(count: Self.instances, "node")
        // A tenth of what AWS takes of an account by default, and some refusals however slow we are.
        try await cloud.aws.order("throttle", ["action": "ec2:*", "size": 10, "refill": 5])
        try await cloud.aws.order(
            "fail",
            [
                "action": "ec2:GetConsoleOutput", "code": "RequestLimitExceeded", "status": 503,
                "times": .whole(Self.refusals),
            ]
        )
        // Nobody is asked, and nothing is believed: each key is proven by the console.
        expectAll(try await logIn(to: fleet, ["-o", "StrictHostKeyChecking=yes"]))
        let calls = try await cloud.aws.calls()
        print("fleet: \(calls.counts), \(calls.throttled) of them throttled")
        #expect(calls["ec2:DescribeInstances"] <= 10)
        // What was not throttled: once for each instance, or a few more.
        let all = calls["ec2:GetConsoleOutput"] + calls["ec2:DescribeInstances"]
        #expect(all - calls.throttled - Self.refusals <= Self.instances * 6 / 5)
        #expect(calls["ec2:GetConsoleOutput"] > Self.refusals)
        #expect(calls.violations == [])
    }

    @Test("many logins at once through Systems Manager wait for their turn")
    func systemsManager() async throws {
        let fleet = try await cloud.aws.launch(count: Self.instances, "node", ["public": false])
        try await cloud.aws.order("throttle", ["action": "ssm:*", "size": 10, "refill": 10])
        try await cloud.aws.order(
            "fail",
            ["action": "ssm:StartSession", "code": "ThrottlingException", "times": 20]
        )
        expectAll(try await logIn(to: fleet))
        let calls = try await cloud.aws.calls()
        print("fleet: \(calls.counts), \(calls.throttled) of them throttled")
        #expect(calls["ec2:DescribeInstances"] <= 10)
        #expect(calls["ec2:DescribeInstanceConnectEndpoints"] <= 10)
        #expect(calls.violations == [])
    }
}
