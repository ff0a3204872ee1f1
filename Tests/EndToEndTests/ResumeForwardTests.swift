import Foundation
import TestSupport
import Testing

/// Forwarded connections over links that break: every byte comes, once, and ends are ends.
///
/// EC2SH_LONG=1 carries ten times as much, with as many more breaks.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ResumeForwardTests {
    private static let isLong = ProcessInfo.processInfo.environment["EC2SH_LONG"] != nil
    private static let size = isLong ? 20_000_000 : 2_000_000

    /// Runs a script of ``Workplace/forwards(_:limit:)`` whose clients go over the link.
    private func run(
        _ link: BreakableLink,
        _ script: String,
        resume: String = "yes"
    ) async throws -> ProgramRun {
        let words = link.words(resume: resume).dropFirst().joined(separator: " ")
        return try await link.place.forwards(
            """
            PLAIN=$HOST; HOST="\(words)"
            onServer() { "$SSH" $PLAIN "$1"; }
            serve 0.0.0.0 0; target=$(cat served); port=$(free)

            """ + script,
            limit: .seconds(ResumeForwardTests.isLong ? 1_800 : 240)
        )
    }

    @Test(
        "-N -L: connections go on at the byte where they were cut, in both directions",
        arguments: [
            FaultLink.Plan.cutDown(after: 600_000, .rst), .cutUp(after: 600_000, .fin),
            .cutDown(after: 2_000_000, .blackhole),
        ]
    )
    func local(plan: FaultLink.Plan) async throws {
        let link = try await BreakableLink(plan)
        let run = try await run(
            link,
            """
            up -v -L $port:10.13.0.2:$target
            fetch --count 4 --size \(ResumeForwardTests.size) 127.0.0.1 $port
            fetch 127.0.0.1 $port
            cat said >&2
            kill $client; wait $client || echo status $?
            """
        )
        #expect(run.outputText == "4 of 4\n1 of 1\n", "\(run.errorText)")
        // Where nobody answers, a second connection takes over without a word.
        let seconds = run.errorLines.count { $0.hasSuffix("a second connection is begun") }
        #expect(linkReports(run).made + seconds >= 1, "\(run.errorText)")
    }

    @Test("-D and -L beside a command go on with it, and end after it")
    func dynamic() async throws {
        let link = try await BreakableLink(.cutDown(after: 900_000, .rst))
        let run = try await run(
            link,
            """
            mkfifo fifo; socks=$(free)
            "$SSH" -D $socks -L $port:10.13.0.2:$target $HOST 'echo up; cat; exit 5' \\
                < fifo > out 2> said & client=$!
            exec 3> fifo
            waitFor grep -q up out
            for version in 4 4a 5; do
                fetch --count 2 --size \(ResumeForwardTests.size) \\
                    --socks $version 10.13.0.2:$target localhost $socks
            done
            $TRAFFIC stall --until go --size 3000000 127.0.0.1 $port > stalled & stalled=$!
            sleep 1
            echo typed >&3; exec 3>&-
            touch go
            wait $stalled; cat stalled
            wait $client || echo status $?
            cat out
            cat said >&2
            """
        )
        let expected = "2 of 2\n2 of 2\n2 of 2\nright\nstatus 5\nup\ntyped\n"
        #expect(run.outputText == expected, "\(run.errorText)")
        #expect(linkReports(run).made >= 4, "\(run.errorText)")
    }

    @Test("Unix sockets on either side go on, too")
    func sockets() async throws {
        let link = try await BreakableLink(.cutUp(after: 700_000, .rst))
        let run = try await run(
            link,
            """
            onServer "rm -f /tmp/$USER; $TRAFFIC serve /tmp/$USER" > far & started="$started $!"
            waitFor test -s far
            up -L $PWD/a:/tmp/$USER -L $PWD/b:10.13.0.2:$target
            for path in a b; do
                fetch --count 2 --size \(ResumeForwardTests.size) $PWD/$path
            done
            cat said >&2
            onServer "rm /tmp/$USER"
            """
        )
        #expect(run.outputText == "2 of 2\n2 of 2\n", "\(run.errorText)")
        #expect(linkReports(run).made >= 4, "\(run.errorText)")
    }

    @Test(
        "what cannot be connected to is said in ssh's words, resumed or not",
        arguments: ["no", "yes"]
    )
    func refused(resume: String) async throws {
        let link = try await BreakableLink()
        let run = try await run(
            link,
            """
            other=$(free)
            up -v -L $port:127.0.0.1:1 -L $other:10.13.0.2:$target
            fetch 127.0.0.1 $port || true
            said 'open failed'
            fetch 127.0.0.1 $other
            grep -c 'outlive their connection' said || true
            grep 'open failed' said >&2
            """,
            resume: resume
        )
        #expect(
            run.outputText == "0 of 1\n1 of 1\n\(resume == "yes" ? 1 : 0)\n",
            "\(run.errorText)"
        )
        let line = "channel 4: open failed: connect failed: Connection refused"
        #expect(run.errorLines.contains(line), "\(run.errorText)")
    }

    @Test(
        "what a key may not forward to, the remote half does not either",
        arguments: [#"permitopen=\"10.13.0.2:$target\""#, "no-port-forwarding"]
    )
    func limited(option: String) async throws {
        let link = try await BreakableLink()
        let run = try await run(
            link,
            """
            ssh-keygen -q -t ed25519 -N '' -f limited
            onServer "echo '\(option)' '$(cat limited.pub)' >>.ssh/authorized_keys"
            other=$(free); mkfifo fifo
            "$SSH" -v -i limited -o IdentitiesOnly=yes -L $port:10.13.0.2:$target \\
                -L $other:localhost:22 $HOST 'echo up; cat' < fifo > out 2> said &
            client=$!; started="$started $client"
            exec 3> fifo
            waitFor grep -q up out
            fetch 127.0.0.1 $port || true
            fetch 127.0.0.1 $other || true
            exec 3>&-; wait $client
            grep -c 'outlive their connection' said || true
            grep 'open failed' said >&2
            onServer "sed -i '/$(cut -d' ' -f2 limited.pub | tail -c 20 | tr -d /)/d' .ssh/authorized_keys"
            """
        )
        let isListed = option.hasPrefix("permitopen")
        #expect(run.outputText == "\(isListed ? 1 : 0) of 1\n0 of 1\n0\n", "\(run.errorText)")
        let refusals = run.errorLines.count {
            $0.hasSuffix(": open failed: administratively prohibited: open failed")
        }
        #expect(refusals == (isListed ? 1 : 2), "\(run.errorText)")
    }

    @Test("-N -R: a port of the server leads here again after breaks")
    func remote() async throws {
        let link = try await BreakableLink(.cutUp(after: 400_000, .rst))
        let far = link.place.port
        let run = try await run(
            link,
            """
            up -R \(far):127.0.0.1:$target
            ask() { onServer "$TRAFFIC fetch $* 127.0.0.1 \(far)"; }
            waitFor ask --size 1000
            ask --size 2000000 || true
            waitFor ask --size 2000
            cat said >&2
            """
        )
        #expect(run.outputText.hasSuffix("1 of 1\n0 of 1\n1 of 1\n"), "\(run.errorText)")
        #expect(linkReports(run).made >= 1, "\(run.errorText)")
    }

    @Test("what a mux client asks its master to forward goes on, too")
    func shared() async throws {
        let link = try await BreakableLink(.cutDown(after: 900_000, .rst))
        let run = try await run(
            link,
            """
            mkfifo fifo
            "$SSH" -M -S $PWD/ctl $HOST 'echo up; cat' < fifo > out 2> said & client=$!
            started="$started $client"; exec 3> fifo
            waitFor grep -q up out
            "$SSH" -S $PWD/ctl -O forward -L $port:10.13.0.2:$target $HOST
            fetch --count 2 --size \(ResumeForwardTests.size) 127.0.0.1 $port
            exec 3>&-; wait $client
            cat said >&2
            """
        )
        #expect(run.outputText == "2 of 2\n", "\(run.errorText)")
        #expect(linkReports(run).made >= 2, "\(run.errorText)")
    }

    @Test("without resumption a connection ends with its link, so that these tests can fail")
    func ends() async throws {
        let link = try await BreakableLink(.cutDown(after: 600_000, .rst))
        let run = try await run(
            link,
            """
            up -L $port:10.13.0.2:$target
            fetch --size \(ResumeForwardTests.size) 127.0.0.1 $port || true
            wait $client || echo status $?
            """,
            resume: "no"
        )
        #expect(run.outputText == "0 of 1\nstatus 255\n", "\(run.errorText)")
    }
}
