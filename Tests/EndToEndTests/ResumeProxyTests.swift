import Foundation
import TestSupport
import Testing

/// OpenSSH's own tools through `ec2sh proxy`, over links that break.
///
/// EC2SH_LONG=1 carries ten times as much, with as many more breaks.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ResumeProxyTests {
    private static let isLong = ProcessInfo.processInfo.environment["EC2SH_LONG"] != nil
    private static let size = isLong ? 30_000_000 : 3_000_000

    /// Runs a script in a home where `ssh host` and its like go through the proxy; `data` has bytes,
    /// `$FAR` is a name for them on the host, and what the proxies have said is in `said`.
    private func run(
        _ link: BreakableLink,
        _ script: String,
        resume: String = "yes",
        more: String = ""
    ) async throws -> ProgramRun {
        let place = link.place
        try place.user.write("data", noise(ResumeProxyTests.size, seed: 21))
        let options = "-v -o Resume=\(resume) -o HostKeyAlias=plain \(more)"
        try place.user.write(
            ".ssh/through",
            """
            Host host
              HostName 127.0.0.1
              Port \(link.link.port)
              User \(BreakableLink.account)
              HostKeyAlias plain
              StrictHostKeyChecking accept-new
              ProxyCommand "\(place.ssh)" proxy \(options) %h %p %r 2>>\(place.user.home)/said
            """
        )
        return try await place.shell(
            "FAR=\(place.unique("through")); S='/usr/bin/ssh -F .ssh/through'\n" + script,
            limit: .seconds(ResumeProxyTests.isLong ? 1_800 : 240)
        )
    }

    private func links(_ link: BreakableLink) throws -> (said: String, made: Int) {
        let path = "\(link.place.user.home)/said"
        let said = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        return (
            said,
            said.split(whereSeparator: \.isNewline).count { $0.hasPrefix("ec2sh: connected to ") }
        )
    }

    @Test(
        "ssh goes on over breaks, both ways, to the command's own status",
        arguments: [FaultLink.Plan.cutDown(after: 700_000, .rst), .cutUp(after: 700_000, .fin)]
    )
    func ssh(plan: FaultLink.Plan) async throws {
        let link = try await BreakableLink(plan)
        let run = try await run(
            link,
            """
            $S host 'tee $FAR; echo error >&2; exit 7' <data >back || echo status $?
            cmp data back && echo same
            """
        )
        #expect(run.outputText == "status 7\nsame\n", "\(run.errorText)")
        #expect(complaints(run).last == "error", "\(run.errorText)")
        let (said, made) = try links(link)
        #expect(said.contains("it outlives broken connections"), "\(said)")
        #expect(made >= 4, "\(said)")
    }

    @Test("scp and rsync bring over what there is, over breaks", arguments: ["scp", "rsync"])
    func copies(tool: String) async throws {
        let link = try await BreakableLink(.cutUp(after: 900_000, .rst))
        let copy = tool == "scp" ? "scp -q -F .ssh/through" : "rsync -e \"$S\""
        let run = try await run(
            link,
            """
            \(copy) data host:$FAR && echo sent
            \(copy) host:$FAR back && cmp data back && echo same
            $S host "rm $FAR"
            """
        )
        #expect(run.outputText == "sent\nsame\n", "\(run.errorText)")
        let (said, made) = try links(link)
        #expect(made >= 3, "\(said)")
    }

    @Test(
        "where there is no login of its own, or none is wanted, a plain pipe carries ssh",
        arguments: [("yes", "-o PubkeyAuthentication=no"), ("auto", ""), ("no", "")]
    )
    func plain(resume: String, more: String) async throws {
        let link = try await BreakableLink()
        let run = try await run(
            link,
            "$S host 'echo in; exit 4' || echo status $?",
            resume: resume,
            more: more
        )
        #expect(run.outputText == "in\nstatus 4\n", "\(run.errorText)")
        let (said, _) = try links(link)
        #expect(said.contains("a pipe, which ends with its connection"), "\(said)")
        #expect(said.contains("no login of ec2sh's own") == (resume == "yes"), "\(said)")
    }

    @Test("the remote half leaves nothing behind when ssh has ended")
    func leavesNothing() async throws {
        let link = try await BreakableLink()
        let run = try await run(
            link,
            """
            $S host 'echo "$SSH_CONNECTION"' | cut -d' ' -f1,3
            pid=$(sed -n 's/.*attached, pid \\([0-9]*\\).*/\\1/p' said)
            gone() { ! $S -o ProxyCommand=none host "kill -0 $pid" 2>/dev/null; }
            until gone; do sleep 0.1; done
            echo gone
            """
        )
        // To sshd, the connection comes from the host itself.
        let ends = run.outputText.split(separator: "\n").first?.split(separator: " ") ?? []
        #expect(ends.count == 2 && ends[0] == ends[1], "\(run.outputText)")
        #expect(run.outputText.hasSuffix("gone\n"), "\(run.errorText)")
    }
}
