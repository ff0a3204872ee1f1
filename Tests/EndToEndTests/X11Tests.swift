import Foundation
import TestSupport
import Testing

/// Programs on the server show windows on the client's X server.
@Suite(
    .enabled(if: Lab.isHere, "\(Lab.skipReason)"),
    .enabled(if: hasX11Tools, "needs xvfb, xauth and x11-utils"),
    .serialized
)
struct X11Tests {
    let client: Client
    let host = "admin@debian.lab"

    init() throws { client = try Client.withKey() }

    /// Runs a script that has the client's command line in `"$@"` and an X server in DISPLAY.
    private func run(_ script: String) async throws -> ProgramRun {
        let server = ["/usr/bin/xvfb-run", "-a", "-s", "-noreset -nolisten tcp"]
        return try await ProgramRun.run(
            server + ["/bin/sh", "-c", script, "sh", client.binary] + client.options,
            as: client.user,
            limit: .seconds(60)
        )
    }

    private let ask = "'xdpyinfo | sed -n s/vendor.string:.*/shown/p'"

    @Test("-Y and ForwardX11 reach the X server", arguments: ["-Y", "-oForwardX11=yes"])
    func trusted(flag: String) async throws {
        let run = try await run(#""$@" \#(flag) \#(host) \#(ask)"#)
        #expect(run.outputText == "shown\n", "\(run.errorText)")
        // The server's xauth says once that its file is new.
        #expect(complaints(run).filter { !$0.contains("xauth: ") } == [])
    }

    @Test("an untrusted client gets a cookie of its own, and none after the timeout")
    func untrusted() async throws {
        let run = try await run(
            """
            "$@" -v -X -oForwardX11Trusted=no -oForwardX11Timeout=2 \(host) \
            'xdpyinfo | grep -c vendor.string; sleep 3; xdpyinfo 2>&1 | grep -c unable'
            """
        )
        #expect(run.outputText == "1\n1\n", "\(run.errorText)")
        #expect(
            run.errorText.contains("Rejected X11 connection after ForwardX11Timeout expired")
        )
    }

    @Test("many clients at once each reach it")
    func many() async throws {
        let run = try await run(
            """
            "$@" -Y \(host) 'for i in $(seq 20); do xdpyinfo | grep vendor.string & done; wait' |
            sort -u | wc -l
            """
        )
        #expect(run.outputText == "1\n", "\(run.errorText)")
    }

    @Test("whoever shows another cookie than the one made up is turned away")
    func wrongCookie() async throws {
        let run = try await run(
            """
            "$@" -Y \(host) 'export XAUTHORITY=$(mktemp)
            xauth -q add $DISPLAY MIT-MAGIC-COOKIE-1 00112233445566778899aabbccddeeff
            xdpyinfo >/dev/null 2>&1; echo $?; rm $XAUTHORITY'
            """
        )
        #expect(run.outputText == "1\n")
        #expect(
            complaints(run) == ["X11 connection rejected because of wrong authentication."]
        )
    }

    @Test("the real cookie never reaches the server")
    func secret() async throws {
        let run = try await run(
            """
            xauth list $DISPLAY | sed 's/.* //'
            "$@" -Y \(host) 'xauth list $DISPLAY' | sed 's/.* //'
            """
        )
        let cookies = run.outputText.split(separator: "\n")
        #expect(Set(cookies).count == 2 && cookies.count == 2, "\(run.errorText)")
    }

    @Test("a session inside of a session passes the windows on")
    func nested() async throws {
        let key = try String(contentsOfFile: client.lab.key("rsa"), encoding: .utf8)
        let run = try await run(
            """
            "$@" -Y \(host) 'umask 077; cat > x11key; \(client.binary) -Y -i x11key \
            -oStrictHostKeyChecking=no -oLogLevel=ERROR ubuntu@ubuntu.lab \(
                ask.replacingOccurrences(of: "'", with: "\"")
            )' <<'END'
            \(key)
            END
            """
        )
        #expect(run.outputText == "shown\n", "\(run.errorText)")
    }

    @Test("without an X server nothing is forwarded, and why is said once")
    func missing() async throws {
        let script = """
            echo "<$DISPLAY>"
            """
        let table = [
            ("", [], "<>"),
            ("a;b", ["DISPLAY \"a;b\" invalid; disabling X11 forwarding"], "<>"),
            ("nowhere", ["Could not find ':' in DISPLAY: nowhere"], "<>"),
        ]
        for (display, words, shown) in table {
            var environment = ["DISPLAY": display]
            if display.isEmpty { environment = [:] }
            let run = try await client.run(["-Y", host, script], environment: environment)
            #expect(run.outputText == shown + "\n")
            #expect(complaints(run) == words)
        }
        let untrusted = try await client.run(
            ["-X", "-oForwardX11Trusted=no", host, script],
            environment: ["DISPLAY": ":4711"]
        )
        #expect(untrusted.outputText == "<>\n")
        #expect(
            complaints(untrusted) == [
                "Warning: untrusted X11 forwarding setup failed: xauth key data not generated"
            ]
        )
    }

    @Test("a changed host key that is let by gets no windows")
    func distrusted() async throws {
        let wrong = try String(
            contentsOfFile: client.lab.instance("ubuntu").hostKeys + "/ssh_host_ed25519_key.pub",
            encoding: .utf8
        )
        try client.user.write("wrong", "debian.lab \(wrong)")
        let run = try await run(
            """
            cd; ssh=$1; shift
            $ssh -oStrictHostKeyChecking=no "$@" -Y -oUserKnownHostsFile=wrong \
            -oHostKeyAlgorithms=ssh-ed25519 \(host) 'echo "<$DISPLAY>"'
            """
        )
        #expect(run.outputText == "<>\n", "\(run.errorText)")
        #expect(
            run.errorText.contains("X11 forwarding is disabled to avoid man-in-the-middle attacks.")
        )
    }

    @Test("clients of a shared connection reach the master's X server when they ask for it")
    func shared() async throws {
        let run = try await run(
            """
            cd; "$@" -Y -MNf -S master \(host) < /dev/null > /dev/null 2>&1
            "$@" -Y -S master \(host) \(ask)
            "$@" -Y -S master \(host) \(ask)
            "$@" -x -S master \(host) 'echo "<$DISPLAY>"'
            "$@" -S master -O exit \(host) 2> /dev/null
            """
        )
        #expect(run.outputText == "shown\nshown\n<>\n", "\(run.errorText)")
    }

    @Test("-x takes a configured ForwardX11 back")
    func off() async throws {
        let run = try await run(#""$@" -oForwardX11=yes -x \#(host) 'echo "<$DISPLAY>"'"#)
        #expect(run.outputText == "<>\n", "\(run.errorText)")
    }
}

/// Whether an X server and its tools are on this machine.
private let hasX11Tools = ["xvfb-run", "xauth", "xdpyinfo"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
}
