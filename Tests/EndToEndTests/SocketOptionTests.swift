import Foundation
import TestSupport
import Testing

/// What is set on the connection's socket, seen from outside, and where messages go.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct SocketOptionTests {
    let client: Client
    let host = "admin@debian.lab"

    init() throws { client = try Client.withKey() }

    /// What is set on the socket of a program under a tracer, as the tracer writes it.
    private func settings(_ arguments: [String]) async throws -> [String] {
        let trace = client.user.path("trace")
        let run = try await ProgramRun.run(
            ["/usr/bin/strace", "-f", "-o", trace, "-e", "trace=setsockopt", client.binary]
                + client.options + arguments,
            as: client.user
        )
        try #require(run.status == 0, "\(run.errorText)")
        return (client.user.contents("trace") ?? "").split(separator: "\n").map(String.init)
    }

    @Test(
        "IPQoS marks packets as interactive up to the task, and then by the task",
        .enabled(if: hasTracer, "needs strace"),
        arguments: [
            (["-oIPQoS=af21 cs1"], ["[72]", "[32]"]), (["-oIPQoS=ef"], ["[184]", "[184]"]),
            (["-tt", "-oIPQoS=af21 cs1"], ["[72]", "[72]"]), (["-oIPQoS=none"], []),
        ] as [([String], [String])]
    )
    func traffic(flags: [String], values: [String]) async throws {
        let lines = try await settings(["-4"] + flags + [host, "true"])
        let seen = lines.filter { $0.contains("IP_TOS") }
        #expect(seen.count == values.count)
        for (line, value) in zip(seen, values) { #expect(line.contains(value)) }
    }

    @Test(
        "TCPKeepAlive is on unless it is turned off",
        .enabled(if: hasTracer, "needs strace"),
        arguments: [("yes", 1), ("no", 0)]
    )
    func keepAlive(value: String, count: Int) async throws {
        let lines = try await settings(["-oTCPKeepAlive=\(value)", host, "true"])
        #expect(lines.count { $0.contains("SO_KEEPALIVE") } == count)
    }

    @Test("-y sends messages to the system's log, by facility and priority")
    func systemLog() async throws {
        let path = try client.user.write("log.py", systemLogScript())
        let run = try await ProgramRun.run(
            [
                "/usr/bin/unshare", "--mount", "/usr/bin/python3", path, client.binary, "-F",
                "none",
                "-y", "-oSyslogFacility=LOCAL3", "-oUserKnownHostsFile=/nowhere",
                "-oStrictHostKeyChecking=yes", host, "true",
            ],
            directory: client.user.home
        )
        let lines = run.outputText.split(separator: "\n")
        // LOCAL3 is 19, an error 3, information 6.
        #expect(
            lines.contains {
                $0.hasPrefix("<155>") && $0.contains("]: error: No ED25519 host key")
            },
            "\(run.outputText) \(run.errorText)"
        )
        #expect(lines.last == "255 ")
    }
}

/// LogVerbose tells all of what some source file of OpenSSH's does.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct LogVerboseTests {
    @Test(
        "the layer that does what a file of OpenSSH's does is told of, and no other",
        arguments: [
            ("hostfile.c:*:*", true), ("host*", true), ("kex.c:*:*,*connect.c:*", true),
            ("readconf.c:*:*", false), ("none", false),
        ]
    )
    func layers(pattern: String, isTold: Bool) async throws {
        let client = try Client.withKey()
        let run = try await client.run(["-oLogVerbose=\(pattern)", "admin@debian.lab", "true"])
        #expect(run.status == 0)
        #expect(run.errorText.contains("debug1: trust: ") == isTold)
        #expect(!run.errorText.contains("debug1: auth: "))
    }
}

private let hasTracer = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
