import TestSupport
import Testing

/// From a name to a connection.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct AddressTests {
    let client: Client

    init() throws { client = try Client.withKey() }

    @Test(
        "a name leads to the machine by whatever address answers",
        arguments: [
            ("debian.lab", []), ("debian6.lab", []), ("debian-dual.lab", []),
            ("debian-dual.lab", ["-4"]), ("debian-dual.lab", ["-6"]), ("2001:db8:13::13", []),
            ("203.0.113.13", []), ("debian.lab", ["-b", "203.0.113.2"]),
            ("debian.lab", ["-B", "public"]),
        ] as [(String, [String])]
    )
    func answers(name: String, options: [String]) async throws {
        let run = try await client.run(options + ["-l", "admin", name, "hostname"])
        #expect(run.outputText == "ip-10-13-0-13\n", "\(run.errorText)")
    }

    @Test("the address family asked for is the one used")
    func family() async throws {
        for (flag, address) in [("-4", "203.0.113.2"), ("-6", "2001:db8:13::2")] {
            let run = try await client.run(
                [flag, "admin@debian-dual.lab", "echo ${SSH_CLIENT%% *}"]
            )
            #expect(run.outputText == "\(address)\n", "\(run.errorText)")
        }
    }

    @Test(
        "a first address that is dead costs no more than ConnectTimeout",
        arguments: ["debian-late.lab", "debian-late6.lab"]
    )
    func deadFirst(name: String) async throws {
        let run = try await client.run(
            ["-o", "ConnectTimeout=3", "-l", "admin", name, "hostname"],
            limit: .seconds(20)
        )
        #expect(run.outputText == "ip-10-13-0-13\n", "\(run.errorText)")
        #expect(run.duration < .seconds(10))
    }

    @Test(
        "a connection that fails says why in ssh's words",
        arguments: [
            (["-p", "23", "debian.lab"], "debian.lab port 23: Connection refused"),
            (["unreachable.lab"], "unreachable.lab port 22: Network is unreachable"),
            (["-o", "ConnectTimeout=1", "silent.lab"], "silent.lab port 22: Connection timed out"),
            (["-4", "debian6.lab"], ""),
            (["no-such-name.example"], ""),
        ]
    )
    func fails(arguments: [String], reason: String) async throws {
        let run = try await client.run(["-T"] + arguments + ["true"], limit: .seconds(15))
        let line =
            reason.isEmpty
            ? "Could not resolve hostname \(arguments[arguments.count - 1]): "
            : "ssh: connect to host \(reason)"
        #expect(run.status == 255)
        #expect(run.errorLines.first?.contains(line) == true, "\(run.errorText)")
    }
}
