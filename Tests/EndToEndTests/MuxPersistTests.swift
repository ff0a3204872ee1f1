import Foundation
import TestSupport
import Testing

/// ControlMaster auto and ControlPersist: whoever comes first makes the connection.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct MuxPersistTests {
    let place: Workplace
    let auto = "-o ControlMaster=auto -o ControlPersist=30 -S $PWD/ctl"

    init() throws { place = try Workplace() }

    @Test("the first command leaves a master for the second, and nobody waits for its end")
    func persists() async throws {
        let run = try await place.shell(
            """
            s() { "$SSH" \(auto) alice@plain.lab "$@"; }
            # What waits for the end of both streams goes on at once.
            (s 'echo first; echo error >&2; exit 3' </dev/null 2>&1 || echo $?) | cat >first
            cat first
            "$SSH" -S ctl -O check alice@plain.lab 2>one
            s 'echo $SSH_CONNECTION' >a; /usr/bin/ssh -S ctl alice@plain.lab 'echo $SSH_CONNECTION' >b
            cmp a b
            "$SSH" -S ctl -O check alice@plain.lab 2>two
            cmp one two
            "$SSH" -S ctl -O exit alice@plain.lab 2>/dev/null
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        let lines = run.outputText.split(whereSeparator: \.isNewline).filter {
            !$0.hasPrefix("Warning:")
        }
        #expect(lines.sorted() == ["3", "error", "first"])
        #expect(run.duration < .seconds(25))
    }

    @Test("an idle master goes when its time is over, and not while somebody uses it")
    func idles() async throws {
        let run = try await place.shell(
            """
            s() { "$SSH" -o ControlMaster=auto -o ControlPersist=1 -S ctl alice@plain.lab "$@"; }
            s 'sleep 2; echo used' 2>/dev/null
            test -e ctl && echo here
            sleep 2
            test -e ctl || echo gone
            """
        )
        #expect(run.outputText == "used\nhere\ngone\n", "\(run.errorText)")
    }

    @Test("a socket nobody listens at is replaced by a new master, or said and gone around")
    func stale() async throws {
        let run = try await place.shell(
            """
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("ctl")'
            "$SSH" -S ctl -o StrictHostKeyChecking=accept-new alice@plain.lab 'echo alone' 2>said
            test -e ctl
            "$SSH" \(auto) alice@plain.lab 'echo master'
            "$SSH" -S ctl alice@plain.lab 'echo shared'
            "$SSH" -S ctl -O exit alice@plain.lab 2>/dev/null
            """
        )
        #expect(run.outputText == "alone\nmaster\nshared\n", "\(run.errorText)")
        let said = place.user.contents("said") ?? ""
        #expect(said.contains("Control socket connect(ctl): Connection refused"), "\(said)")
    }

    @Test("a second master says that there is one, and works alone")
    func second() async throws {
        let run = try await place.share(
            MuxPair(),
            "\"$C\" -M -S \"$S\" \"$H\" 'echo alone'"
        )
        #expect(run.outputText == "alone\n")
        let path = place.user.path("ctl")
        #expect(
            run.errorLines == ["ControlSocket \(path) already exists, disabling multiplexing"]
        )
    }

    @Test("with a session of its own, a master ends with its last client")
    func lastClient() async throws {
        let run = try await place.shell(
            """
            s() { "$SSH" -S ctl alice@plain.lab "$@"; }
            "$SSH" -M -S ctl alice@plain.lab 'sleep 1; echo own; exit 4' &
            while ! test -e ctl; do sleep 0.05; done
            s 'sleep 2; echo client'
            wait $! || echo $?
            test -e ctl || echo gone
            """
        )
        #expect(run.outputText == "own\nclient\n4\ngone\n", "\(run.errorText)")
    }

    @Test("-f, -N and a command each find their place beside ControlPersist")
    func backgrounds() async throws {
        let run = try await place.shell(
            """
            "$SSH" \(auto) -N alice@plain.lab </dev/null 2>&1 | cat
            "$SSH" -S ctl alice@plain.lab 'echo held'
            "$SSH" -S ctl -O exit alice@plain.lab 2>/dev/null
            while test -e ctl; do sleep 0.05; done
            "$SSH" \(auto) -f alice@plain.lab 'sleep 1; echo later' </dev/null >out 2>/dev/null
            echo now
            while ! grep later out; do sleep 0.1; done
            "$SSH" -S ctl -O exit alice@plain.lab 2>/dev/null
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        let lines = run.outputText.split(whereSeparator: \.isNewline).filter {
            !$0.hasPrefix("Warning:")
        }
        #expect(lines == ["held", "now", "later"])
    }

    @Test("-O without a ControlPath, and a path that is too long, are said in OpenSSH's words")
    func words() async throws {
        let long = String(repeating: "a", count: 108)
        let run = try await place.shell(
            """
            "$SSH" -O check plain.lab || echo $?
            "$SSH" -S \(long) -O check plain.lab || echo $?
            """
        )
        #expect(run.outputText == "255\n255\n")
        #expect(
            run.errorLines == [
                "No ControlPath specified for \"-O\" command",
                "ControlPath too long ('\(long)' >= 108 bytes)",
            ]
        )
    }
}
