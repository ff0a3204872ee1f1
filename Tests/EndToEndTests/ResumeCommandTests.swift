import Foundation
import TestSupport
import Testing

/// Commands whose connections break: nothing is lost, nothing doubled, and each runs once.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ResumeCommandTests {
    /// Over the handshake, the login, the start of the remote half, the data and the end, both ways;
    /// EC2SH_LONG=1 takes 220 of them.
    private static let cuts: [FaultLink.Plan] = {
        let isLong = ProcessInfo.processInfo.environment["EC2SH_LONG"] != nil
        let step = isLong ? 155 : 1_500
        return stride(from: 500, through: 17_500, by: step).flatMap { place -> [FaultLink.Plan] in
            let isUp = isLong || place % 3_000 != 500
            return (isUp ? [.cutUp(after: place, .rst)] : [])
                + (isLong || !isUp ? [.cutDown(after: place * 2 / 5, .fin)] : [])
        }
    }()

    @Test("a command over a link that holds is as without resumption, and leaves nothing behind")
    func undisturbed() async throws {
        let link = try await BreakableLink()
        let run = try await link.run(
            "cat; echo error >&2; exit 7",
            input: .bytes(Data("typed\n".utf8))
        )
        #expect(run.outputText == "typed\n")
        #expect(complaints(run) == ["error"])
        #expect(run.status == 7)
    }

    @Test("what is not resumed asks the server for the command itself", arguments: ["no", "yes"])
    func asksForRemoteHalf(resume: String) async throws {
        let link = try await BreakableLink()
        let run = try await link.run("tr '\\0' ' ' </proc/$PPID/cmdline", resume: resume)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText.contains("python") == (resume == "yes"), "\(run.outputText)")
    }

    @Test(
        "output goes on at the byte where it was cut, again and again",
        arguments: [FaultLink.Plan.Break.rst, .fin]
    )
    func cutDown(how: FaultLink.Plan.Break) async throws {
        let link = try await BreakableLink(.cutDown(after: 300_000, how))
        let data = noise(2_000_000, seed: 11)
        let name = link.place.unique("down-\(how)")
        try link.place.writeRemote(name, data)
        let run = try await link.run("cat \(name); echo error >&2; exit 3")
        #expect(run.output == data)
        #expect(run.status == 3, "\(run.errorText)")
        let reports = linkReports(run)
        #expect(reports.lost >= 4)
        #expect(reports.made == reports.lost)
        #expect(complaints(run).filter { !$0.hasPrefix("ec2sh: ") } == ["error"])
    }

    @Test(
        "input goes on at the byte where it was cut, again and again",
        arguments: [FaultLink.Plan.Break.rst, .fin]
    )
    func cutUp(how: FaultLink.Plan.Break) async throws {
        let link = try await BreakableLink(.cutUp(after: 300_000, how))
        let data = noise(2_000_000, seed: 12)
        let name = link.place.unique("up-\(how)")
        let run = try await link.run("cat >\(name); exit 4", input: .bytes(data))
        #expect(run.status == 4, "\(run.errorText)")
        #expect(try link.place.remoteContents(name) == data)
        #expect(linkReports(run).made >= 4)
    }

    @Test(
        "a command is run exactly once wherever its first connection is cut",
        arguments: cuts
    )
    func once(cut: FaultLink.Plan) async throws {
        let link = try await BreakableLink(cut)
        // A login that fails is not repeated; so only the first connection is cut, if it got that far.
        let name = link.place.unique("once")
        async let run = link.run("echo run >>\(name); echo out; exit 5")
        _ = try await link.link.closed()
        try await link.link.replacePlan(.none)
        let result = try await run
        let count = try link.place.remoteContents(name).map { String(decoding: $0, as: UTF8.self) }
        if result.status == 5 {
            #expect(result.outputText == "out\n")
            #expect(count == "run\n")
        } else {
            #expect(result.status == 255)
            #expect(result.outputText == "")
            // What ended before the login was ever tried has run nothing.
            #expect(count == nil, "\(result.errorText)")
        }
    }

    @Test("a server that has another host key after the break ends the run")
    func changedKey() async throws {
        let link = try await BreakableLink()
        let debian = try link.place.lab.instance("debian").plainName
        let words = link.words() + ["echo begun; exec sleep 60"]
        let (rest, result) = try await link.place.live(words) { [link = link.link] program in
            try program.read(until: "begun\n")
            try onThread {
                try await link.move(to: debian)
                try await link.breakOff(.rst)
            }
            return program.outputEnds()
        }
        #expect(rest)
        #expect(result.status == 255)
        #expect(result.errorText.contains("now has another host key than before the break"))
        #expect(result.errorText.contains("Host key verification failed."))
        #expect(linkReports(result).made == 0)
    }

    @Test("typed data that nobody answers makes a second connection, which takes over")
    func blackhole() async throws {
        let link = try await BreakableLink()
        let words = link.words() + ["cat"]
        let (taken, run) = try await link.place.live(words) { [link = link.link] program in
            program.write("one\n")
            try program.read(until: "one\n")
            try onThread { try await link.breakOff(.blackhole) }
            let start = ContinuousClock.now
            program.write("two\n")
            try program.read(until: "two\n", seconds: 60)
            return ContinuousClock.now - start
        }
        #expect(run.status == 0, "\(run.errorText)")
        // Three seconds of patience at the most, and a login on a loaded machine.
        #expect(taken < .seconds(20), "\(taken)")
        #expect(taken > .milliseconds(900), "\(taken)")
    }

    @Test("a port of the server leads here again after a break")
    func remoteForward() async throws {
        let link = try await BreakableLink()
        let port = link.place.port
        let plain = try link.place.lab.instance("plain").plainName
        let words = link.words(["-R", "\(port):\(plain):22"]) + ["bash"]
        let ask =
            "until exec 3<>/dev/tcp/127.0.0.1/\(port); do sleep 0.1; done 2>/dev/null; "
            + "head -c 7 <&3; echo; exec 3>&-\n"
        let (_, run) = try await link.place.live(words) { [link = link.link] program in
            program.write(ask)
            try program.read(until: "SSH-2.0\n")
            try onThread { try await link.breakOff(.rst) }
            program.write(ask)
            try program.read(until: "SSH-2.0\n", seconds: 60)
            return 0
        }
        #expect(run.status == 0, "\(run.errorText)")
        #expect(linkReports(run).made == 1)
    }

    @Test("a command that was killed by a signal has ssh's status, over a break as well")
    func signalled() async throws {
        let link = try await BreakableLink(.cutDown(after: 60_000, .rst))
        let run = try await link.run("head -c 150000 /dev/zero; kill -TERM $$")
        #expect(run.output.count == 150_000)
        #expect(run.status == 255, "\(run.errorText)")
        #expect(linkReports(run).made >= 2)
    }

    @Test("a signal that ends the run ends the command on the host")
    func terminated() async throws {
        let link = try await BreakableLink()
        let name = link.place.unique("hung-up")
        try link.place.writeRemote(
            name,
            Data(
                """
                exec 2>/dev/null; trap 'echo HUP >\(name).seen; exit' HUP
                echo up; while :; do sleep 0.1; done
                """.utf8
            )
        )
        let run = try await link.place.shell(
            """
            mkfifo out
            \(link.words().joined(separator: " ")) bash \(name) >out & client=$!
            read -r line <out; kill $client; wait $client || echo $line $?
            """
        )
        #expect(run.outputText == "up 255\n", "\(run.errorText)")
        let end = try await link.run(
            "until [ -s \(name).seen ]; do sleep 0.1; done; cat \(name).seen; rm \(name)*",
            resume: "no"
        )
        #expect(end.outputText == "HUP\n", "\(end.errorText)")
    }
}
