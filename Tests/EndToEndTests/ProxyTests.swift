import TestSupport
import Testing

/// Ways to a server that are not a connection of ours.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ProxyTests {
    let client: Client

    init() throws { client = try Client.withKey() }

    @Test("ProxyCommand carries the connection, and its standard error is ours")
    func command() async throws {
        let helper = "\(client.binary) \(client.options.joined(separator: " ")) -q"
        let run = try await client.run([
            "-o",
            "ProxyCommand=sh -c 'echo from the proxy >&2; \(helper) -W %h:%p alice@plain.lab'",
            "admin@debian.lab", "hostname",
        ])
        #expect(run.outputText == "ip-10-13-0-13\n")
        #expect(run.errorLines.contains("from the proxy"))
    }

    @Test("a ProxyCommand that fails is 255 and its own words are seen")
    func commandFails() async throws {
        let run = try await client.run(
            ["-o", "ProxyCommand=sh -c 'echo no way >&2; exit 3'", "admin@debian.lab", "true"],
            limit: .seconds(15)
        )
        #expect(run.status == 255)
        #expect(run.errorLines.contains("no way"))
        #expect(!run.timedOut)
    }

    @Test("no process of a ProxyCommand is left when the run is over")
    func commandEnds() async throws {
        let mark = "proxy-mark-\(client.user.name)"
        let run = try await client.run([
            "-o",
            "ProxyCommand=sh -c '\(client.binary) \(client.options.joined(separator: " ")) -q "
                + "-W %h:%p alice@plain.lab; sleep 60' \(mark)",
            "admin@debian.lab", "true",
        ])
        #expect(run.status == 0, "\(run.errorText)")
        let left = try await ProgramRun.run(["/usr/bin/pgrep", "-u", client.user.name, "-f", mark])
        #expect(left.outputText == "")
    }

    @Test(
        "ProxyJump leads through one server or several to one that cannot be reached from here",
        arguments: [
            "ubuntu@ubuntu.lab", "ec2-user@amazon.lab,ubuntu@ubuntu.lab",
            "alice@plain.lab,ec2-user@amazon.lab,ubuntu@ubuntu.lab",
        ]
    )
    func jump(through: String) async throws {
        // The jumps take their options from the configuration, not from our command line.
        let client = try configured()
        let run = try await client.run(["-J", through, "ec2-user@hidden.lab", "hostname; exit 3"])
        #expect(run.outputText == "ip-10-13-1-16\n", "\(run.errorText)")
        #expect(run.status == 3)
    }

    @Test("a jump that cannot be reached is 255 and named")
    func jumpFails() async throws {
        let client = try configured()
        let run = try await client.run(
            ["-o", "BatchMode=yes", "-J", "alice@plain.lab:23", "ec2-user@hidden.lab", "true"],
            limit: .seconds(15)
        )
        #expect(run.status == 255)
        #expect(run.errorText.contains("port 23: Connection refused"), "\(run.errorText)")
    }

    private func configured() throws -> Client {
        var client = try Client()
        try client.user.takeKey("ed25519", as: ".ssh/id_ed25519")
        try client.user.write(".ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n")
        client.options = []
        return client
    }
}
