import Foundation
import TestSupport
import Testing

/// What goes wrong with one client, or with the master, and what the others see of it.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxTroubleTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("200 sessions at once over one master", arguments: MuxPair.ofOurMaster)
    func many(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            echo word >line
            for i in $(seq 200); do
                { c "read line; echo $i:\\$line" <line >out.$i; echo $? >status.$i; } &
                pids="$pids $!"
            done 2>/dev/null
            wait $pids
            cat $(ls out.* | sort -t. -k2n); cat status.* | sort | uniq -c
            """,
            limit: .seconds(120)
        )
        #expect(run.status == 0, "\(run.errorText)")
        let expected = (1...200).map { "\($0):word\n" }.joined()
        #expect(run.outputText.hasPrefix(expected))
        #expect(run.outputText.split(separator: "\n").last == "    200 0", "\(run.errorText)")
    }

    @Test("a client that does not read its output stalls nobody else", arguments: MuxPair.all)
    func slowReader(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            mkfifo pipe; exec 3<>pipe
            c 'head -c 6000000 /dev/zero' >pipe 3>&- &
            slow=$!
            sleep 0.5
            for i in 1 2 3; do c "echo $i"; done
            head -c 6000000 <&3 | wc -c
            wait $slow
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "1\n2\n3\n6000000\n")
    }

    @Test("clients that say nothing, nonsense, or half a message are nobody's trouble")
    func strangers() async throws {
        try place.user.write(
            "stranger.py",
            """
            import socket, struct, sys, time
            hello = struct.pack(">III", 8, 1, 4)
            first = [b"", b"\\0", b"GET / HTTP/1.1\\r\\n\\r\\n", b"\\xff" * 64,
                     struct.pack(">III", 8, 1, 3), hello + hello,
                     hello + struct.pack(">III", 8, 0x10000004, 7)[:9],
                     hello + struct.pack(">III", 8, 0x10000002, 7),
                     hello + struct.pack(">III", 8, 0x10000042, 7)]
            held = []
            for bytes in first:
                s = socket.socket(socket.AF_UNIX); s.connect("ctl"); s.sendall(bytes)
                held.append(s)
            print("connected", flush=True); sys.stdin.read()
            time.sleep(0.3)
            last = held[-1]; last.settimeout(5); print(last.recv(4096).hex())
            """
        )
        let run = try await place.share(
            MuxPair(),
            """
            mkfifo wait; exec 4<>wait
            python3 stranger.py <wait 4>&- >said &
            while ! grep -qs connected said; do sleep 0.05; done
            c 'echo first'; c 'echo second'
            "$C" -S "$S" -O check "$H" 2>/dev/null
            exec 4>&-
            wait $!
            tail -n 1 said
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        let lines = run.outputText.split(separator: "\n")
        #expect(lines.prefix(2) == ["first", "second"])
        // HELLO with what it says of itself, then a failure of request 7.
        let said = try #require(lines.last)
        #expect(said.hasPrefix("000000230000000100000004"), "\(lines)")
        #expect(said.contains("0000001f8000000300000007"), "\(lines)")
    }

    @Test("a master that is killed leaves its clients with 255", arguments: MuxPair.all)
    func masterKilled(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            pid=$("$C" -S "$S" -O check "$H" 2>&1 | tr -dc 0-9)
            (c 'echo running; sleep 20' || echo $?) >said &
            while ! grep -qs running said; do sleep 0.05; done
            kill -9 $pid
            wait $!; cat said
            "$C" -S "$S" "$H" 'echo alone'
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "running\n255\nalone\n")
        let path = place.user.path("ctl")
        #expect(run.errorLines == ["Control socket connect(\(path)): Connection refused"])
        #expect(run.duration < .seconds(18))
    }

    @Test("a client that is killed ends its remote command, and the master goes on")
    func clientKilled() async throws {
        let name = place.unique("mux-killed")
        let run = try await place.share(
            MuxPair(),
            """
            "$C" -tt -S "$S" "$H" "echo running; trap 'echo hung up >\(name); exit' HUP; while :; do sleep 0.1; done" >said 2>/dev/null </dev/null &
            while ! grep -qs running said; do sleep 0.05; done
            kill -9 $!
            c 'while ! test -e \(name); do sleep 0.1; done; cat \(name); rm \(name)'
            """
        )
        #expect(run.outputText == "hung up\n", "\(run.errorText)")
    }

    @Test("a client that is told to end ends with 255", arguments: ["TERM", "HUP"])
    func signals(signal: String) async throws {
        let run = try await place.share(
            MuxPair(),
            """
            "$C" -S "$S" "$H" 'echo running; sleep 20' >said &
            while ! grep -qs running said; do sleep 0.05; done
            kill -\(signal) $! ; wait $! || echo $?
            c 'echo still here'
            """
        )
        #expect(run.outputText == "255\nstill here\n", "\(run.errorText)")
    }
}
