import Foundation
import TestSupport
import Testing

/// Sessions that were left running by a client that died, and `ec2sh attach`.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct AttachTests {
    private let place: Workplace
    /// Where the records are.
    private let records: String

    init() throws {
        place = try Workplace()
        records = place.user.path(".local/state/ec2sh/sessions")
        let host = try place.lab.instance("plain")
        try place.user.write(
            ".ssh/config",
            """
            Host there
              HostName \(host.plainName)
              User alice
              StrictHostKeyChecking accept-new
              Resume yes

            """
        )
    }

    /// Begins a command in the background, and kills its client when it has said a word.
    private func leave(_ command: String) -> String {
        """
        $SSH there '\(command)' >begun </dev/null & client=$!
        until grep -q begun begun && test -n "$(ls \(records))"; do sleep 0.05; done
        kill -9 $client
        wait $client 2>/dev/null || true
        id=$(ls \(records))

        """
    }

    @Test("what a killed client has left is listed, and taken up with its output and its status")
    func takenUp() async throws {
        let gate = place.unique("gate")
        let run = try await place.shell(
            leave("echo begun; until test -e \(gate); do sleep 0.1; done; echo after; exit 7")
                + """
                stat -c '%a' \(records) \(records)/$id
                $SSH attach
                $SSH attach there --json | tr '}' '\\n' | grep $id
                $SSH there 'touch \(gate)'
                $SSH attach $(echo $id | cut -c 1-8) || echo status $?
                ls \(records)
                """,
            limit: .seconds(120)
        )
        #expect(run.status == 0, "\(run.errorText)")
        let lines = run.outputText.split(separator: "\n").map(String.init)
        try #require(lines.count >= 7, "\(lines) \(run.errorText)")
        #expect(lines[0] == "700" && lines[1] == "600")
        #expect(lines[2].hasPrefix("ID") && lines[2].contains("HOST"))
        #expect(lines[3].contains("  there  ") && lines[3].contains("  detached  echo begun;"))
        #expect(lines[4].contains("\"command\":\"echo begun;"))
        // What was not acknowledged before the client's end may come once more.
        #expect(lines.suffix(2) == ["after", "status 7"])
        #expect(run.errorText.contains("ec2sh attach ID"))
    }

    @Test(
        "a session that is ended is hung up, and on record no more",
        .enabled(
            if: ProcessInfo.processInfo.environment["EC2SH_LONG"] == "1",
            "the host has a second to hear of the end: needs a quiet machine (EC2SH_LONG=1)"
        )
    )
    func ended() async throws {
        let note = place.unique("hangup")
        let run = try await place.shell(
            leave("trap \"echo hung >\(note); exit\" HUP; echo begun; while :; do sleep 0.1; done")
                + """
                $SSH attach there $id --end
                ls \(records)
                until $SSH there 'cat \(note)'; do sleep 0.2; done 2>/dev/null
                """,
            limit: .seconds(120)
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "hung\n", "\(run.errorText)")
    }

    @Test("a session that its host does not know is said to be none, and forgotten")
    func unknown() async throws {
        let run = try await place.shell(
            leave("echo begun; exec sleep 600")
                + """
                $SSH there 'kill -9 $(sed -n 1p /tmp/.ec2sh-*/'$id'.started | cut -d " " -f 2)'
                $SSH there "rm -f /tmp/.ec2sh-*/$id.*"
                $SSH attach $id || echo status $?
                ls \(records)
                $SSH attach $id || echo status $?
                """,
            limit: .seconds(120)
        )
        #expect(run.outputText == "status 255\nstatus 255\n", "\(run.errorText)")
        #expect(run.errorText.contains("there is no session"), "\(run.errorText)")
    }

    @Test("a run that ends leaves nothing on record")
    func nothingLeft() async throws {
        let run = try await place.shell(
            "$SSH there ls; ls \(records); $SSH attach || echo none $?"
        )
        #expect(run.outputText.hasSuffix("none 1\n"), "\(run.outputText) \(run.errorText)")
        #expect(run.errorText.contains("no sessions were left running"))
    }

    @Test("a shell whose client was killed goes on in a terminal of another size")
    func shell() async throws {
        let words = [place.ssh, "-t", "there", "exec env PS1='remote> ' bash --norc -i"]
        try await place.atTerminal(words, columns: 90, rows: 30) { terminal in
            try terminal.wait(for: "remote> ")
            terminal.type("x=kept\r")
            try terminal.wait(for: "remote> ")
            terminal.send(SIGKILL)
            _ = try terminal.waitForEnd()
        }
        let id = try #require(
            FileManager.default.contentsOfDirectory(atPath: records).first
        )
        try await place.atTerminal([place.ssh, "attach", id], columns: 77, rows: 33) { terminal in
            terminal.type("stty size; echo $x $((40 + 2))\r")
            try terminal.wait(for: "33 77\r\nkept 42\r\n", seconds: 60)
            terminal.type("exit 6\r")
            #expect(try terminal.waitForEnd() == .exited(6))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: records).isEmpty)
    }
}
