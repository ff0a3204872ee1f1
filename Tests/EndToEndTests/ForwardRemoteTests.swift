import TestSupport
import Testing

/// `-R`: connections to the server that go on from this machine.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ForwardRemoteTests {
    let it: Workplace

    init() throws { it = try Workplace() }

    /// Finds a port of the server's in the variable `port`.
    private let freePort = #"""
        port=$(onServer "python3 -c 'import socket; s = socket.create_server((\"\", 0))
        print(s.getsockname()[1])'")

        """#

    @Test("a port of the server's leads to a port or a Unix socket of this side")
    func targets() async throws {
        let run = try await it.forwards(
            freePort + """
                serve 127.0.0.1 0; target=$(cat served); rm served
                serve $PWD/socket
                up -R $port:localhost:$target -R 0:$PWD/socket
                said 'Allocated port'
                onServer "fetch --count 4 127.0.0.1 $port; fetch --count 4 ::1 $port"
                chosen=$(sed -n 's/Allocated port \\([0-9]*\\) .*/\\1/p' said)
                onServer "fetch --count 4 localhost $chosen"
                sed "s/ $chosen / N /" said >&2
                """
        )
        #expect(run.outputText == "4 of 4\n4 of 4\n4 of 4\n", "\(run.errorText)")
        let line = "Allocated port N for remote forward to \(it.user.home)/socket:-2"
        #expect(run.errorLines.contains(line), "\(run.errorText)")
    }

    @Test("a port without a target speaks SOCKS of each version, within PermitRemoteOpen")
    func socks() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served)
            up -R 0 -o PermitRemoteOpen="127.0.0.1:* localhost:$target"
            said 'Allocated port'
            port=$(sed -n 's/Allocated port \\([0-9]*\\) .*/\\1/p' said)
            onServer "fetch --count 4 --socks 4 127.0.0.1:$target localhost $port
            fetch --count 4 --socks 4a localhost:$target localhost $port
            fetch --count 4 --socks 5 127.0.0.1:$target localhost $port
            fetch --count 4 --socks 5 10.13.0.2:$target localhost $port"
            """
        )
        #expect(run.outputText == "4 of 4\n4 of 4\n4 of 4\n0 of 4\n", "\(run.errorText)")
    }

    @Test("a target that cannot be reached closes the connection, is said, and harms nothing")
    func unreachable() async throws {
        let run = try await it.forwards(
            """
            serve 127.0.0.1 0; target=$(cat served)
            up -R 0:127.0.0.1:1 -R 0:nowhere.invalid:1 -R 0:127.0.0.1:$target
            waitFor sh -c '[ $(grep -c Allocated said) = 3 ]'
            for port in $(sed -n 's/Allocated port \\([0-9]*\\) .*/\\1/p' said); do
                onServer "fetch localhost $port" || true
            done
            cat said >&2
            """
        )
        #expect(run.outputText == "0 of 1\n0 of 1\n1 of 1\n", "\(run.errorText)")
        let said = run.errorLines
        #expect(said.contains("connect_to 127.0.0.1 port 1: failed."), "\(said)")
        let unknown = "connect_to nowhere.invalid: unknown host ("
        #expect(said.contains { $0.hasPrefix(unknown) }, "\(said)")
    }

    @Test("a port the server cannot have is warned of, or ends the run with ExitOnForwardFailure")
    func taken() async throws {
        let run = try await it.forwards(
            """
            "$SSH" -R 22:a:1 $HOST echo on || echo status $?
            "$SSH" -o ExitOnForwardFailure=yes -N -R 22:a:1 $HOST || echo status $?
            "$SSH" -o ExitOnForwardFailure=yes -f -N -R 22:a:1 $HOST || echo status $?
            """
        )
        #expect(run.outputText == "on\nstatus 255\nstatus 255\n", "\(run.errorText)")
        #expect(
            run.errorLines.filter { !$0.hasPrefix("Warning: Permanently") } == [
                "Warning: remote port forwarding failed for listen port 22",
                "Error: remote port forwarding failed for listen port 22",
                "Error: remote port forwarding failed for listen port 22",
            ]
        )
    }

    @Test("a Unix socket of the server's is refused clearly")
    func socket() async throws {
        let run = try await it.forwards(
            """
            "$SSH" -R /tmp/a:a:1 $HOST echo on || echo status $?
            "$SSH" -o ExitOnForwardFailure=yes -R /tmp/a:a:1 $HOST echo on || echo status $?
            """
        )
        #expect(run.outputText == "on\nstatus 255\n", "\(run.errorText)")
        let lines = run.errorLines.filter { !$0.hasPrefix("Warning: Permanently") }
        #expect(lines.count == 4, "\(run.errorText)")
        #expect(lines.first == "Warning: remote port forwarding failed for listen path /tmp/a")
        #expect(lines.contains("Error: remote port forwarding failed for listen path /tmp/a"))
    }

    @Test("a command may use the forwards of its own run, however many, at once")
    func atOnce() async throws {
        let run = try await it.forwards(
            """
            serve 127.0.0.1 0; target=localhost:$(cat served)
            for port in 9101 9102 9103 9104 9105; do all="$all -R $port:$target"; done
            "$SSH" $all $HOST "for port in 9105 9104 9103 9102 9101; do
                $TRAFFIC fetch localhost \\$port
            done"
            "$SSH" -f -N -R 9106:$target $HOST
            onServer "fetch localhost 9106"
            pkill -u $(id -un) -f -- -N.-R.9106
            """
        )
        #expect(run.outputText == String(repeating: "1 of 1\n", count: 6), "\(run.errorText)")
    }

    @Test("two hundred connections at once come through a port of the server's")
    func many() async throws {
        let run = try await it.forwards(
            """
            serve 127.0.0.1 0; target=$(cat served)
            up -R 0:localhost:$target
            said 'Allocated port'
            port=$(sed -n 's/Allocated port \\([0-9]*\\) .*/\\1/p' said)
            onServer "fetch --count 200 localhost $port"
            """
        )
        #expect(run.outputText == "200 of 200\n", "\(run.errorText)")
    }
}
