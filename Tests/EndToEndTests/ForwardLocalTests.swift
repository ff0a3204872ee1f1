import TestSupport
import Testing

/// `-L` and `-D`: connections to this machine that go on from the server.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ForwardLocalTests {
    let it: Workplace

    init() throws { it = try Workplace() }

    @Test("a port leads to a port as the server sees it, on both loopback addresses")
    func port() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free)
            up -L $port:10.13.0.2:$target
            fetch --count 4 127.0.0.1 $port
            fetch --count 4 ::1 $port
            """
        )
        #expect(run.outputText == "4 of 4\n4 of 4\n", "\(run.errorText)")
        #expect(run.status == 0)
    }

    @Test("ports and Unix sockets lead to either, and a socket has the mask's permissions")
    func sockets() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free)
            onServer "rm -f /tmp/$USER; $TRAFFIC serve /tmp/$USER" > far & started="$started $!"
            waitFor test -s far
            up -L $PWD/a:10.13.0.2:$target -L $port:/tmp/$USER -L $PWD/b:/tmp/$USER \\
                -o StreamLocalBindMask=0117
            stat -c %a a
            fetch --count 4 $PWD/a
            fetch --count 4 localhost $port
            fetch --count 4 $PWD/b
            onServer "rm /tmp/$USER"
            """
        )
        #expect(run.outputText == "660\n4 of 4\n4 of 4\n4 of 4\n", "\(run.errorText)")
    }

    @Test("a path that is taken is taken over with StreamLocalBindUnlink only")
    func unlink() async throws {
        let run = try await it.forwards(
            """
            touch a
            "$SSH" -o ExitOnForwardFailure=yes -L $PWD/a:localhost:22 $HOST true || echo status $?
            "$SSH" -o StreamLocalBindUnlink=yes -L $PWD/a:localhost:22 $HOST true && echo done
            """
        )
        #expect(run.outputText == "status 255\ndone\n")
        #expect(
            run.errorLines.filter { !$0.hasPrefix("Warning: Permanently") } == [
                "unix_listener: cannot bind to path \(it.user.home)/a: Address already in use",
                "Could not request local forwarding.",
            ]
        )
    }

    @Test("a SOCKS client of each version says itself where to")
    func socks() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free)
            up -D $port -D $PWD/socks
            for version in 4 4a 5; do
                fetch --count 4 --socks $version 10.13.0.2:$target localhost $port
            done
            fetch --count 4 --socks 5 plain.lab:22 localhost $port || true
            fetch --count 4 --socks 5 10.13.0.2:$target $PWD/socks
            """
        )
        #expect(run.outputText == "4 of 4\n4 of 4\n4 of 4\n0 of 4\n4 of 4\n", "\(run.errorText)")
    }

    @Test("GatewayPorts, -g and bind addresses decide who can connect")
    func gatewayPorts() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=10.13.0.2:$(cat served)
            a=$(free); b=$(free); c=$(free); d=$(free)
            up -L $a:$target -L '*':$b:$target -L 10.13.0.2:$c:$target -L 127.0.0.1:$d:$target
            for port in $a $b $c $d; do fetch 10.13.0.2 $port || true; done
            for port in $a $b $c $d; do fetch ::1 $port || true; done
            kill $client; wait $client || true
            up -g -L $a:$target -L localhost:$b:$target
            for port in $a $b; do fetch 10.13.0.2 $port || true; done
            """
        )
        let yes = "1 of 1"
        let no = "0 of 1"
        #expect(
            run.outputText.split(separator: "\n").map(String.init)
                == [no, yes, yes, no] + [yes, yes, no, no] + [yes, no],
            "\(run.errorText)"
        )
    }

    @Test("a port that is taken is said, and ends the run with ExitOnForwardFailure only")
    func taken() async throws {
        let run = try await it.forwards(
            """
            port=$(free); serve 127.0.0.1 $port
            "$SSH" -L 127.0.0.1:$port:a:1 $HOST echo on || echo status $?
            "$SSH" -o ExitOnForwardFailure=yes -L 127.0.0.1:$port:a:1 $HOST echo on || echo status $?
            "$SSH" -o ClearAllForwardings=yes -o ExitOnForwardFailure=yes -L $port:a:1 $HOST echo on
            cat served
            """
        )
        let port = run.outputText.split(separator: "\n").last.map(String.init) ?? ""
        #expect(run.outputText == "on\nstatus 255\non\n\(port)\n", "\(run.errorText)")
        let said = [
            "bind [127.0.0.1]:\(port): Address already in use",
            "channel_setup_fwd_listener_tcpip: cannot listen to port: \(port)",
            "Could not request local forwarding.",
        ]
        #expect(run.errorLines.filter { !$0.hasPrefix("Warning: Permanently") } == said + said)
    }

    @Test("a target that refuses is said with the channel's number, and the forward goes on")
    func refused() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free); good=$(free)
            up -L $port:127.0.0.1:1 -L $good:10.13.0.2:$target
            fetch 127.0.0.1 $port || true
            said 'open failed'
            fetch 127.0.0.1 $good
            cat said >&2
            """
        )
        #expect(run.outputText == "0 of 1\n1 of 1\n")
        // Four listeners have the numbers before it.
        let line = "channel 4: open failed: connect failed: Connection refused"
        #expect(run.errorLines.contains(line), "\(run.errorText)")
    }

    @Test("a run waits for the connections of its forwards when its command has ended")
    func lingers() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free); mkfifo fifo
            "$SSH" -L $port:10.13.0.2:$target $HOST 'echo up; cat' < fifo > out &
            started="$started $!"
            exec 3> fifo
            waitFor grep -q up out
            $TRAFFIC stall --until go --size 20000000 127.0.0.1 $port > stalled & stall=$!
            sleep 1
            exec 3>&-
            sleep 1
            touch go
            wait $stall
            cat stalled
            """
        )
        #expect(run.outputText == "right\n", "\(run.errorText)")
    }

    @Test("a reader that stalls stalls its own connection only, and gets everything in the end")
    func stalled() async throws {
        let run = try await it.forwards(
            """
            serve 0.0.0.0 0; target=$(cat served); port=$(free)
            up -L $port:10.13.0.2:$target
            for n in 1 2 3; do
                $TRAFFIC stall --until go --size 40000000 127.0.0.1 $port > stalled.$n & all="$all $!"
            done
            sleep 2
            fetch --count 20 127.0.0.1 $port
            touch go
            wait $all
            cat stalled.*
            """
        )
        #expect(run.outputText == "20 of 20\nright\nright\nright\n", "\(run.errorText)")
    }

    @Test("a thousand connections at once carry a megabyte each, and none is wrong")
    func thousand() async throws {
        let run = try await it.forwards(
            """
            ulimit -n $(ulimit -H -n)
            serve 0.0.0.0 0; target=$(cat served); port=$(free)
            up -L $port:10.13.0.2:$target
            fetch --count 1000 127.0.0.1 $port
            cat said >&2
            """,
            limit: .seconds(120)
        )
        #expect(run.outputText == "1000 of 1000\n", "\(run.errorText)")
    }
}
