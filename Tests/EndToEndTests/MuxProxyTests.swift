import Foundation
import TestSupport
import Testing

/// `-O proxy`: clients that speak the connection protocol over a control socket, each with OpenSSH's
/// ssh on the other side of the socket too.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxProxyTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// Runs a script with a master; `p` runs a proxy client.
    private func share(
        _ pair: MuxPair,
        _ script: String,
        environment: [String: String] = [:],
        limit: Duration = .seconds(60)
    ) async throws -> ProgramRun {
        try await place.share(
            pair,
            "p() { \"$C\" -S \"$S\" -O proxy \"$@\"; }\n" + script,
            environment: environment,
            limit: limit
        )
    }

    @Test(
        "both streams, the status, a signal and variables go over it",
        arguments: MuxPair.all
    )
    func command(pair: MuxPair) async throws {
        let run = try await share(
            pair,
            """
            status=0; p "$H" 'echo out; echo err >&2; exit 7' 2>err || status=$?
            echo $status:$(cat err)
            status=0; p "$H" 'kill -9 $$' || status=$?; echo $status
            echo typed | p "$H" 'cat; echo end'
            p -n "$H" 'exec >/dev/null 2>&1; sleep 1; exit 4' || echo $?
            p -o SetEnv=LC_ADD=set -o 'SendEnv LC_*' "$H" 'echo $LC_ALSO:$LC_ADD'
            printf 'echo shell; exit 3\\n' | p -T "$H" || echo $?
            p -s "$H" sftp </dev/null
            """,
            environment: ["LC_ALSO": "sent"]
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "out\n7:err\n255\ntyped\nend\n4\nsent:set\nshell\n3\n")
        #expect(run.errorText.isEmpty)
    }

    @Test("50 MB go each way at once, exactly, and both streams", arguments: MuxPair.all)
    func transfer(pair: MuxPair) async throws {
        try place.user.write("big", noise(50_000_000, seed: 12))
        let run = try await share(
            pair,
            """
            p "$H" cat <big >back; cmp big back
            p "$H" 'head -c 5000000 /dev/zero; head -c 3000000 /dev/zero >&2' 2>err | wc -c
            wc -c <err
            """,
            limit: .seconds(180)
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "5000000\n3000000\n")
    }

    @Test("forwards of both directions end with the client", arguments: MuxPair.all)
    func forwards(pair: MuxPair) async throws {
        let run = try await share(
            pair,
            """
            python3 -c 'import socket
            s = socket.socket(socket.AF_UNIX); s.bind("here.sock"); s.listen()
            while True:
                c, _ = s.accept(); c.sendall(c.recv(100) + b" came here\\n"); c.close()' &
            here=$!
            while ! test -S here.sock; do sleep 0.05; done
            "$C" -S "$S" -O proxy -N -L "$PWD/in.sock:localhost:22" "$H" & client=$!
            while ! test -S in.sock; do sleep 0.05; done
            python3 -c 'import socket
            all = [socket.socket(socket.AF_UNIX) for _ in range(20)]
            for s in all: s.connect("in.sock")
            print({s.recv(8) for s in all})'
            kill $client; wait $client || true
            python3 -c 'import socket
            socket.socket(socket.AF_UNIX).connect("in.sock")' 2>/dev/null || echo closed
            port=$(python3 -c 'import random; print(random.randrange(20000, 30000))')
            p -R $port:$PWD/here.sock "$H" \
                "bash -c 'exec 3<>/dev/tcp/localhost/$port; printf word >&3; cat <&3'"
            kill $here
            """
        )
        #expect(run.outputText == "{b'SSH-2.0-'}\nclosed\nword came here\n", "\(run.errorText)")
    }

    @Test(
        "the server chooses a port, and gives it up when the client has gone",
        arguments: MuxPair.ofOurMaster
    )
    func chosenPort(pair: MuxPair) async throws {
        let run = try await share(
            pair,
            """
            "$C" -S "$S" -O proxy -N -R 0:localhost:9 "$H" 2>said & client=$!
            while ! grep -qs 'Allocated port' said; do sleep 0.05; done
            port=$(sed -n 's/Allocated port \\([0-9]*\\) .*/\\1/p' said)
            line=":$(printf %04X $port) .* 0A "
            c "grep -q '$line' /proc/net/tcp && echo listens"
            kill $client; wait $client || true
            c "while grep -q '$line' /proc/net/tcp; do sleep 0.1; done"
            p -o ExitOnForwardFailure=yes -R 22:localhost:9 "$H" true 2>/dev/null || echo refused
            c 'echo the master goes on'
            """
        )
        #expect(run.outputText == "listens\nrefused\nthe master goes on\n", "\(run.errorText)")
    }

    @Test("a port whose number an OpenSSH master keeps to itself is said to have failed")
    func hiddenPort() async throws {
        let run = try await share(
            MuxPair(masterIsOpenSSH: true),
            "p -R 0:localhost:9 \"$H\" 'echo done'"
        )
        #expect(run.outputText == "done\n")
        #expect(
            run.errorLines == ["Warning: remote port forwarding failed for listen port 0"]
        )
    }

    @Test(
        "a connection that the server refuses is refused, and nothing else",
        arguments: MuxPair.all
    )
    func refused(pair: MuxPair) async throws {
        // OpenSSH's own master may not outlive a client that was refused a channel.
        let last = pair.masterIsOpenSSH ? "" : "c 'echo the master goes on'"
        let run = try await share(
            pair,
            """
            mkfifo hold; exec 5<>hold
            "$C" -S "$S" -O proxy -L "$PWD/in.sock:localhost:1" "$H" 'echo ready; cat' \
                <hold >said 2>err & client=$!
            while ! grep -qs ready said; do sleep 0.05; done
            python3 -c 'import socket
            s = socket.socket(socket.AF_UNIX); s.connect("in.sock"); print(s.recv(8))'
            echo more >&5
            while ! grep -qs more said; do sleep 0.05; done
            kill $client; wait $client || true
            sed 's/channel [0-9]*/channel N/' err | tr -d '\\r'
            \(last)
            """
        )
        let words = "channel N: open failed: connect failed: Connection refused\n"
        let goesOn = pair.masterIsOpenSSH ? "" : "the master goes on\n"
        #expect(run.outputText == "b''\n" + words + goesOn, "\(run.errorText)")
    }

    @Test("a terminal is raw, has its size, and hears of a new one", arguments: MuxPair.all)
    func terminal(pair: MuxPair) async throws {
        let place = place
        let master = try await place.run([
            pair.master(place), "-M", "-S", "ctl", "-fN", "alice@plain.lab",
        ])
        #expect(master.status == 0, "\(master.errorText)")
        let script = """
            stty size; trap 'stty size; exit 7' WINCH; echo ready
            while :; do sleep 0.05; done
            """
        let words = [
            pair.client(place), "-S", "ctl", "-O", "proxy", "-t", "alice@plain.lab", script,
        ]
        let said = try await place.atTerminal(words, columns: 91, rows: 33) { terminal in
            try terminal.wait(for: "33 91\r\n")
            try terminal.wait(for: "ready")
            #expect(terminal.isRaw)
            terminal.resize(columns: 132, rows: 50)
            try terminal.wait(for: "50 132")
            #expect(try terminal.waitForEnd() == .exited(7))
            #expect(terminal.hasEcho && !terminal.isRaw)
            return terminal.transcript
        }
        #expect(said.contains("Connection to plain.lab closed."))
        _ = try await place.run([place.ssh, "-S", "ctl", "-O", "exit", "alice@plain.lab"])
    }

    @Test("clients that do not read stall nobody else", arguments: MuxPair.all)
    func slowReader(pair: MuxPair) async throws {
        let run = try await share(
            pair,
            """
            mkfifo pipe; exec 3<>pipe
            p "$H" 'head -c 6000000 /dev/zero' >pipe 3>&- &
            slow=$!
            sleep 0.5
            for i in 1 2 3; do p "$H" "echo $i" & all="$all $!"; done
            wait $all
            c 'echo passenger'
            head -c 6000000 <&3 | wc -c
            wait $slow
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        let lines = run.outputText.split(separator: "\n").map(String.init)
        #expect(lines.prefix(3).sorted() == ["1", "2", "3"])
        #expect(lines.suffix(2) == ["passenger", "6000000"])
    }

    @Test("a master that is killed leaves its clients with 255", arguments: MuxPair.all)
    func masterKilled(pair: MuxPair) async throws {
        let run = try await share(
            pair,
            """
            pid=$("$C" -S "$S" -O check "$H" 2>&1 | tr -dc 0-9)
            (p "$H" 'echo running; sleep 20' || echo $?) >said 2>err &
            while ! grep -qs running said; do sleep 0.05; done
            kill -9 $pid
            wait $!; cat said err | tr -d '\\r'
            """
        )
        #expect(
            run.outputText == "running\n255\nConnection to plain.lab closed by remote host.\n"
        )
        #expect(run.duration < .seconds(18))
    }

    @Test("a client that is killed ends its remote command, and the master goes on")
    func clientKilled() async throws {
        let name = place.unique("mux-proxy-killed")
        let run = try await share(
            MuxPair(),
            """
            "$C" -S "$S" -O proxy -tt "$H" "echo running; trap 'echo hung up >\(name); exit' HUP; while :; do sleep 0.1; done" >said 2>/dev/null </dev/null &
            while ! grep -qs running said; do sleep 0.05; done
            kill -9 $!
            c 'while ! test -e \(name); do sleep 0.1; done; cat \(name); rm \(name)'
            """
        )
        #expect(run.outputText == "hung up\n", "\(run.errorText)")
    }

    @Test("a client without a master is told so, and so is one that is refused")
    func words() async throws {
        let run = try await place.shell(
            """
            "$SSH" -S nowhere -O proxy alice@plain.lab true || echo $?
            """
        )
        #expect(run.outputText == "255\n")
        #expect(run.errorLines == ["Control socket connect(nowhere): No such file or directory"])
    }

    @Test("packets that make no sense end their client and nobody else")
    func malformed() async throws {
        try place.user.write("stranger.py", MuxProxyTests.stranger)
        let run = try await share(
            MuxPair(),
            """
            p "$H" 'echo begun; read word; echo $word' <<E >other &
            still
            E
            python3 stranger.py
            wait $!; cat other
            c 'echo the master goes on'
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        let expected = "13 ended\nalive\nbegun\nstill\nthe master goes on\n"
        #expect(run.outputText == expected, "\(run.errorText)")
    }

    /// A client of its own: what may not be said, then what may.
    private static let stranger = """
        import socket, struct
        def u(*numbers): return b"".join(struct.pack(">I", n) for n in numbers)
        def s(text): return u(len(text)) + text
        def packet(type, body): return s(bytes([0, type]) + body)
        def read(c, count):
            data = b""
            while len(data) < count:
                more = c.recv(count - len(data))
                if not more: raise EOFError
                data += more
            return data
        def message(c): return read(c, struct.unpack(">I", read(c, 4))[0])
        def begin():
            c = socket.socket(socket.AF_UNIX); c.settimeout(20); c.connect("ctl")
            c.sendall(s(u(1, 4)) + s(u(0x1000000f, 7)))
            message(c); assert message(c) == u(0x8000000f, 7)
            return c
        session = packet(90, s(b"session") + u(3, 100000, 32768))
        bad = [
            u(0xffffffff), u(0), s(b"\\xff\\x5a\\0\\0\\0"), packet(90, b""), packet(90, s(b"session")),
            packet(90, u(0xffffffff)), packet(94, u(77) + s(b"x")), packet(97, u(0)),
            session + packet(94, u(0) + s(b"too soon")),
            packet(98, u(0, 0xfffffff0)), packet(80, s(b"tcpip-forward")), packet(93, u(9, 9)),
            packet(96, b"\\0"),
        ]
        ended = 0
        for bytes_ in bad:
            c = begin(); c.sendall(bytes_)
            try:
                while True: message(c)
            except (EOFError, ConnectionResetError): ended += 1
        print(ended, "ended")

        # A window of one byte, requests in a row, answers in their order.
        c = begin()
        c.sendall(packet(80, s(b"keepalive@openssh.com") + b"\\1") + packet(80, s(b"x") + b"\\0")
                  + packet(2, s(b"ignored")) + packet(90, s(b"nonsense") + u(5, 1, 1)))
        c.sendall(packet(90, s(b"session") + u(3, 1, 1)))
        seen = [message(c) for _ in range(3)]
        assert sorted(m[1] for m in seen) == [82, 91, 92], seen
        assert [m for m in seen if m[1] == 92][0][2:10] == u(5, 3)
        opened = [m for m in seen if m[1] == 91][0]
        assert opened[2:6] == u(3), opened
        number = opened[6:10]
        env = s(b"env") + b"\\0" + s(b"LC_X") + s(b"y")
        c.sendall(packet(98, number + env)
                  + packet(98, number + s(b"nonsense") + b"\\1")
                  + packet(98, number + s(b"exec") + b"\\1" + s(b"echo alive; exit 9"))
                  + packet(96, number))
        text, kinds, status = b"", [], None
        while 97 not in kinds:
            m = message(c); kinds.append(m[1])
            if m[1] == 94:
                assert m[6:10] == u(1); text += m[10:]
                c.sendall(packet(93, number + u(1)))
            if m[1] == 98:
                assert m[6:] == s(b"exit-status") + b"\\0" + u(9)
                status = 9
        answers = [k for k in kinds if k in (99, 100)]
        assert answers == [100, 99], answers
        assert text == b"alive\\n" and status == 9 and 96 in kinds, (text, status, kinds)
        c.sendall(packet(97, number))
        # More than the window, which ends it.
        c.sendall(session); number = message(c)[6:10]
        try:
            c.sendall(packet(94, number + s(b"x" * 200000)) * 40)
            while True: message(c)
        except (EOFError, ConnectionResetError, BrokenPipeError): print(text.decode(), end="")
        """
}
