import Foundation
import TestSupport
import Testing

/// Tools over links that break at places a seed decides.
///
/// Nothing is lost, doubled or mixed up, and the exit status is exact. A seed that fails becomes a
/// test of its own.
///
/// EC2SH_LONG=1 takes hundreds of seeds, and more than a thousand faults.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct ResumeSweepTests {
    private static let isLong = ProcessInfo.processInfo.environment["EC2SH_LONG"] != nil

    /// What is done over the link, as scripts that end with `same` if all came over as it was.
    ///
    /// `data` has bytes, `$FAR` is a name for them on the host, `$S` is the client.
    private static let works = [
        "$S far \"cat >$FAR; echo error >&2; cat $FAR; exit 9\" <data >back || echo status $?; cmp data back",
        "$S far \"cat >$FAR\" <data && $S far \"cat $FAR; exit 9\" >back || echo status $?; cmp data back",
        "$S far \"tee $FAR; exit 9\" <data >back || echo status $?; cmp data back",
        "rsync -e \"$S\" data far:$FAR && rsync -e \"$S\" far:$FAR back; echo status $?; cmp data back",
        "scp -S $SSH -F sweep data far:$FAR && scp -S $SSH -F sweep far:$FAR back; echo status $?; "
            + "cmp data back",
        "printf 'put data %s\\nget %s back\\n' $FAR $FAR >batch; "
            + "sftp -S $SSH -F sweep -b batch far >/dev/null; echo status $?; cmp data back",
        "export GIT_SSH_COMMAND=\"$S\"; git init -q one; cp data one/; cd one; git add data; "
            + "git -c user.name=a -c user.email=a@b commit -qm one; $S far \"git init -q --bare $FAR\" "
            + "</dev/null; git push -q far:$FAR HEAD:main; cd ..; git clone -q -b main far:$FAR two; "
            + "echo status $?; cmp data two/data",
    ]

    @Test(
        "whatever is done, wherever and however its links break, it is done as over one that holds",
        arguments: 1...(isLong ? 210 : 7)
    )
    func anything(seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let work = ResumeSweepTests.works[seed % ResumeSweepTests.works.count]
        let breaks: [FaultLink.Plan.Break] = [.rst, .fin, .rst, .fin, .halfOpen, .blackhole]
        let how = try #require(breaks.randomElement(using: &random))
        // Silence takes seconds to notice.
        let isSilent = how == .blackhole || how == .halfOpen
        let place = Int.random(in: isSilent ? 600_000...900_000 : 60_000...300_000, using: &random)
        let plan: FaultLink.Plan =
            Bool.random(using: &random) ? .cutDown(after: place, how) : .cutUp(after: place, how)
        let link = try await BreakableLink(plan)
        let user = link.place.user
        try user.write("data", noise(1_000_000, seed: UInt64(seed)))
        try user.write(
            "sweep",
            """
            Host far
              HostName 127.0.0.1
              Port \(link.link.port)
              User \(BreakableLink.account)
              HostKeyAlias plain
              StrictHostKeyChecking accept-new
              Resume yes
            """
        )
        let run = try await link.place.shell(
            "FAR=\(link.place.unique("sweep")); S=\"$SSH -F $HOME/sweep\"; \(work) && echo same",
            limit: .seconds(300)
        )
        let words = "seed \(seed), \(how) after \(place): \(run.outputText) \(run.errorText)"
        let status = work.contains("exit 9") ? 9 : 0
        #expect(run.outputText == "status \(status)\nsame\n", "\(words)")
        let reports = linkReports(run)
        print("sweep: seed \(seed): \(reports.lost) links lost, \(reports.made) made again")
        #expect(reports.lost == reports.made, "\(words)")
    }
}
