import Foundation
import TestSupport
import Testing

/// Servers that do not speak SSH, or stop in the middle of it.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct BadServerTests {
    /// The ports of the servers of `badservers.py`, which end with this process.
    private static let servers = Result {
        let helper = try LabHelper("badservers.py")
        var ports: [String: Int] = [:]
        helper.readAnswers { line in
            ports = (try? JSONDecoder().decode([String: Int].self, from: Data(line.utf8))) ?? [:]
            return false
        }
        return (helper: helper, ports: ports)
    }

    /// Whatever the server does, ConnectTimeout bounds the time until the login.
    private static let options = [
        "-F", "none", "-o", "ConnectTimeout=2", "-o", "StrictHostKeyChecking=accept-new",
    ]

    @Test(
        "a server that does not behave is said and 255, in time, and no file is changed",
        arguments: [
            "silent", "closes", "resets", "truncated-banner", "truncated-then-silent", "http",
            "smtp", "tls-alert", "old-protocol", "huge-banner", "huge-line-before-banner",
            "endless-lines-before-banner", "escapes-in-banner", "garbage-after-banner",
            "zeros-after-banner", "huge-packet", "text-after-banner", "closes-after-banner",
            "silent-after-banner", "empty-lists", "nothing-in-common", "truncated-lists",
            "wrong-order", "disconnects", "stops-in-key-exchange", "silent-in-key-exchange",
            "false-key-exchange",
        ]
    )
    func misbehaves(name: String) async throws {
        let port = try #require(BadServerTests.servers.get().ports[name])
        let client = try Client()
        let before = client.user.files()
        let run = try await client.run(
            BadServerTests.options + ["-p", "\(port)", "someone@127.0.0.1", "true"],
            limit: .seconds(30)
        )
        expectClearWords(run, within: .seconds(20))
        #expect(client.user.files() == before)
    }

    /// How many bytes the server sends for a whole run of `true`, the farewell included.
    private static let loginSize = Task {
        let client = try Client.withKey()
        let debian = try client.lab.instance("debian")
        let link = try await FaultLink(to: debian.plainName)
        let run = try await client.run(
            options + ["-p", "\(link.port)", "\(debian.user)@127.0.0.1", "true"]
        )
        try #require(run.status == 0, "\(run.errorText)")
        return try await link.closed().down
    }

    /// What comes after the command has begun: its status, and the farewell.
    private static let afterLogin = 300

    @Test(
        "a connection closed at any place of the handshake and the login is said and 255",
        arguments: [FaultLink.Plan.Break.fin, .rst],
        0..<30
    )
    func cutDown(how: FaultLink.Plan.Break, step: Int) async throws {
        let size = try await BadServerTests.loginSize.value - BadServerTests.afterLogin
        let client = try Client.withKey()
        let debian = try client.lab.instance("debian")
        let link = try await FaultLink(
            to: debian.plainName,
            plan: .cutDown(after: size * step / 30, how)
        )
        let run = try await client.run(
            BadServerTests.options + ["-p", "\(link.port)", "\(debian.user)@127.0.0.1", "true"],
            limit: .seconds(30)
        )
        expectClearWords(run, within: .seconds(20))
    }

    @Test(
        "a flipped bit at any place of the handshake and the login is said and 255",
        arguments: Array(stride(from: 50, to: 3400, by: 250))
    )
    func flipped(at: Int) async throws {
        let client = try Client.withKey()
        let debian = try client.lab.instance("debian")
        let link = try await FaultLink(to: debian.plainName, plan: .flipDown(at: at))
        let run = try await client.run(
            BadServerTests.options + ["-p", "\(link.port)", "\(debian.user)@127.0.0.1", "true"],
            limit: .seconds(30)
        )
        // A bit in a list of names or in the server's cookie may do no harm.
        if run.status != 0 { expectClearWords(run, within: .seconds(20)) }
    }
}
