import Foundation
import TestSupport
import Testing

/// A plain host that nobody knows, on a machine that has credentials: AWS is asked, not for long.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysGuessTests {
    let client: Client
    let aws: CloudAccount
    private let host = "no-such-host.invalid"

    init() async throws {
        client = try Client.withKey()
        aws = try await CloudAccount()
        try await aws.order("delay", ["action": "ec2:DescribeInstances", "seconds": 60])
    }

    @Test("an answer that does not come is waited for a moment, and ssh's own words are all")
    func bounded() async throws {
        let plain = try await client.run([host, "true"])
        let run = try await client.run([host, "true"], environment: aws.environment)
        #expect(run.status == 255)
        #expect(run.errorText == plain.errorText)
        #expect(try await aws.calls()["ec2:DescribeInstances"] == 1)
        #expect(run.duration - plain.duration < .seconds(10), "\(run.duration)")
    }

    @Test("a person is told what is waited for")
    func told() throws {
        let terminal = PseudoTerminal()
        let number = "\(client.user.number)"
        try terminal.start(
            ["/usr/bin/setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--"]
                + [client.binary] + client.options + [host],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": client.user.home, "USER": client.user.name,
                "TERM": "xterm",
            ].merging(aws.environment) { $1 }
        )
        try terminal.wait(for: "ec2sh: asking AWS whether \(host) is an instance (1 s)")
        #expect(try terminal.waitForEnd() == .exited(255))
    }
}
