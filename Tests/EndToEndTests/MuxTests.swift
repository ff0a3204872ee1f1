import Foundation
import TestSupport
import Testing

/// One connection for many, each with OpenSSH's ssh on the other side of the socket too.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("both streams, the status and a megabyte of input go over it", arguments: MuxPair.all)
    func command(pair: MuxPair) async throws {
        try place.user.write("up", noise(1_000_000, seed: 11))
        let run = try await place.share(
            pair,
            """
            stat -c %a:%F ctl
            status=0; c 'echo out; echo err >&2; exit 7' 2>err || status=$?
            echo $status:$(cat err)
            c cat <up >down; cmp up down
            status=0; c 'kill -9 $$' || status=$?; echo $status
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "600:socket\nout\n7:err\n255\n")
        #expect(run.errorText.isEmpty)
    }

    // Debian's ssh_config lets every master send LC_*.
    @Test("the master lets a client have the variables it may send itself", arguments: MuxPair.all)
    func environment(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            "$C" -S "$S" -o 'SendEnv LC_* GIT_*' -o SetEnv=LC_ADD=set "$H" \
                'echo "$LC_ALSO:$LC_ADD:$GIT_PROTOCOL"'
            """,
            environment: ["LC_ALSO": "sent", "GIT_PROTOCOL": "kept"]
        )
        #expect(run.outputText == "sent:set:\n", "\(run.errorText)")
    }

    @Test(
        "sftp and scp of OpenSSH find our master, and ours finds OpenSSH's",
        arguments: MuxPair.all
    )
    func copies(pair: MuxPair) async throws {
        try place.user.write("up", noise(300_000, seed: 12))
        let name = place.unique("mux-copy")
        let run = try await place.share(
            pair,
            """
            scp -q -S "$C" -o ControlPath="$S" up "$H:\(name)"
            echo "get \(name) down" | sftp -q -S "$C" -o ControlPath="$S" "$H" >/dev/null
            cmp up down
            c rm \(name)
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
    }

    @Test("-O check, stop and exit say what OpenSSH says", arguments: MuxPair.all)
    func controlCommands(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            "$C" -S "$S" -O check "$H"
            c 'echo started; sleep 1; echo went on' &
            sleep 0.5
            "$C" -S "$S" -O stop "$H"
            test ! -e "$S"
            "$C" -S "$S" -O check "$H" || echo $?
            wait
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "started\n255\nwent on\n")
        let words = run.errorLines
        #expect(words.count == 3, "\(words)")
        #expect(words.first?.wholeMatch(of: /Master running \(pid=\d+\)/) != nil, "\(words)")
        #expect(words.dropFirst().first == "Stop listening request sent.")
        let path = place.user.path("ctl")
        #expect(words.last == "Control socket connect(\(path)): No such file or directory")
    }

    @Test("-O exit ends the master and its socket", arguments: MuxPair.all)
    func exit(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            "$C" -S "$S" -O exit "$H"
            while test -e "$S"; do sleep 0.05; done
            """
        )
        #expect(run.status == 0)
        #expect(run.errorLines == ["Exit request sent."])
    }

    @Test("-W goes over it, both ways, and a closed port is told", arguments: MuxPair.all)
    func standardForward(pair: MuxPair) async throws {
        let run = try await place.share(
            pair,
            """
            "$C" -S "$S" -W localhost:22 "$H" </dev/null | head -c 8
            "$C" -S "$S" -W localhost:1 "$H" </dev/null || echo " $?"
            """
        )
        #expect(run.outputText == "SSH-2.0- 255\n")
        #expect(
            run.errorLines.last == "Stdio forwarding request failed: Session open refused by peer"
        )
    }

    @Test("the reader of a client's output goes, and so does the command", arguments: MuxPair.all)
    func readerGoes(pair: MuxPair) async throws {
        let run = try await place.share(pair, "c yes | head -n 1")
        #expect(run.outputText == "y\n")
        #expect(run.duration < .seconds(15))
    }

    @Test("a subsystem that is not there ends with 255", arguments: MuxPair.ofOurMaster)
    func noSubsystem(pair: MuxPair) async throws {
        let run = try await place.share(pair, "\"$C\" -S \"$S\" -s \"$H\" nothing || echo $?")
        #expect(run.outputText == "255\n")
        #expect(run.errorLines == ["subsystem request failed"])
    }

    @Test("a client in the background leaves the shell at once")
    func background() async throws {
        let name = place.unique("mux-background")
        let run = try await place.share(
            MuxPair(),
            """
            "$C" -f -S "$S" "$H" 'sleep 1; echo done >\(name)' </dev/null >/dev/null 2>&1
            c "test ! -e \(name); while ! test -e \(name); do sleep 0.1; done; cat \(name); rm \(name)"
            """
        )
        #expect(run.outputText == "done\n", "\(run.errorText)")
    }

    @Test("ControlMaster ask lets a program of the user's decide", arguments: ["yes", "no"])
    func ask(answer: String) async throws {
        let askpass = try place.user.write(
            "ask",
            "#!/bin/sh\necho \"$1\" >>asked\necho \(answer)\n",
            mode: 0o755
        )
        let run = try await place.share(
            MuxPair(clientIsOpenSSH: true),
            options: "-M",
            "c 'echo shared or not'",
            environment: ["SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force"]
        )
        #expect(run.outputText == "shared or not\n")
        let isRefused = run.errorText.contains("Master refused session request: Permission denied")
        #expect(isRefused == (answer == "no"), "\(run.errorText)")
        let question = "Allow shared connection to plain.lab? "
        #expect(place.user.contents("asked")?.hasPrefix(question) == true)
    }
}
