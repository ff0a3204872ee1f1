import Foundation
import TestSupport
import Testing

/// Forwards that clients ask a master for, and what else a session brings along.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxForwardTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("a port is forwarded, is there for all, and is taken back", arguments: MuxPair.all)
    func local(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            o() { "$C" -S "$S" -O "$@" "$H"; }
            f="-L $PWD/in.sock:localhost:22"
            o forward $f; o forward $f
            python3 -c 'import socket
            s = socket.socket(socket.AF_UNIX); s.connect("in.sock"); print(s.recv(8).decode())'
            o cancel $f
            python3 -c 'import socket
            socket.socket(socket.AF_UNIX).connect("in.sock")' 2>/dev/null || echo closed
            o cancel $f || echo $?
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "SSH-2.0-\nclosed\n")
        #expect(
            run.errorLines == [
                "mux_client_forward: forwarding request failed: port not forwarded",
                "muxclient: master cancel forward request failed",
            ]
        )
    }

    @Test(
        "the server chooses a port, which is printed once for each who asks",
        arguments: MuxPair.all
    )
    func remote(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            o() { "$C" -S "$S" -O "$@" "$H"; }
            port=$(o forward -R 0:localhost:9); test "$port" = "$(o forward -R 0:localhost:9)"
            c "grep -q $(printf ':%04X .* 0A' $port) /proc/net/tcp && echo listens"
            o cancel -R 0:localhost:9
            c "while grep -q $(printf ':%04X .* 0A' $port) /proc/net/tcp; do sleep 0.1; done"
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "listens\n")
    }

    @Test("a session's own forwards are opened by the master first; -N stays for them")
    func withSession() async throws {
        let run = try await place.share(
            MuxPair(),
            """
            "$C" -S "$S" -L "$PWD/in.sock:localhost:22" "$H" 'echo command'
            test -S in.sock && echo forwarded
            "$C" -S "$S" -N -L "$PWD/other.sock:localhost:22" "$H" &
            while ! test -S other.sock; do sleep 0.05; done
            kill $!; wait $!; echo $?
            "$C" -S "$S" -O forward -L "/nowhere/x:localhost:22" "$H" 2>/dev/null || echo $?
            """
        )
        #expect(run.outputText == "command\nforwarded\n0\n255\n", "\(run.errorText)")
    }

    @Test(
        "the agent is for the sessions that ask for it, if the master may",
        arguments: MuxPair.all
    )
    func agent(pair: MuxPair) async throws {
        let script = """
            eval "$(ssh-agent)" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT
            ssh-add -q .ssh/id_ed25519
            for own in -A -a; do
                \(pair.master(place)) -M -S ctl $own -fN alice@plain.lab 2>/dev/null
                for theirs in -a -A; do
                    \(pair.client(place)) -S ctl $theirs alice@plain.lab \\
                        'ssh-add -l >/dev/null 2>&1 && echo "keys" || echo none'
                done
                \(pair.master(place)) -S ctl -O exit alice@plain.lab 2>/dev/null
                while test -e ctl; do sleep 0.05; done
            done
            """
        let run = try await place.shell(script)
        #expect(run.outputText == "none\nkeys\nnone\nnone\n", "\(run.errorText)")
    }

    @Test(
        "a jump goes over a master that is there, whatever it would need to log in",
        arguments: [false, true]
    )
    func jump(masterIsOpenSSH: Bool) async throws {
        try place.user.write(
            ".ssh/config",
            """
            Host jump
              Hostname plain.lab
              User alice
              ControlPath ~/jump.ctl
            Host *
              StrictHostKeyChecking accept-new

            """
        )
        let master = MuxPair(masterIsOpenSSH: masterIsOpenSSH).master(place)
        let run = try await place.shell(
            """
            \(master) -M -fN jump 2>/dev/null
            # Without the master nobody gets in.
            sed -i 's/  User alice/  User alice\\n  IdentityFile none/' .ssh/config
            "$SSH" -J jump ubuntu@ubuntu.lab 'hostname >name; head -c 1000000 /dev/zero' | wc -c
            "$SSH" -S jump.ctl -O exit jump 2>/dev/null
            while test -e jump.ctl; do sleep 0.05; done
            "$SSH" -o BatchMode=yes -J jump ubuntu@ubuntu.lab true 2>/dev/null || echo $?
            """
        )
        #expect(run.outputText == "1000000\n255\n", "\(run.errorText)")
    }
}
