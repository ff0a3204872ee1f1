import Foundation
import TestSupport
import Testing

/// rsync, which talks both ways at once and puts long command lines together.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .enabled(if: Tool.rsync.isHere, "no rsync"))
struct InteropRsyncTests {
    let place: Workplace
    let name: String

    init() throws {
        place = try Workplace()
        name = place.unique("rsync")
    }

    @Test("sends 10,000 files, finds nothing to send after that, and fetches them again")
    func manyFiles() async throws {
        let run = try await place.shell(
            """
            mkdir tree; cd tree
            for d in $(seq 100); do
                mkdir $d
                seq -f "$d %.0f" 100 | split -l 1 -a 3 - $d/f
            done
            cd ..
            export RSYNC_RSH="$SSH"
            rsync -a tree/ alice@plain.lab:\(name)/
            echo $(rsync -a --checksum --stats tree/ alice@plain.lab:\(name)/ |
                grep -e 'files: ' -e 'files transferred')
            rsync -a --delete alice@plain.lab:\(name)/ back/
            diff -r tree back
            """,
            limit: .seconds(120)
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText.hasPrefix("Number of files: 10,101 (reg: 10,000, dir: 101) "))
        #expect(run.outputText.contains("Number of regular files transferred: 0"))
        let there = try place.remote(name)
        let same = try await ProgramRun.run(["/usr/bin/diff", "-r", place.user.path("tree"), there])
        #expect(same.status == 0, "\(same.outputText.prefix(500))")
    }

    @Test(
        "takes its options in -e, before the host alone",
        arguments: ["-p 22", "-o Compression=yes -l alice", "-x -T -o 'Ciphers aes128-ctr'"]
    )
    func options(_ options: String) async throws {
        let run = try await place.shell(
            """
            mkdir -p tree/a 'tree/b c'
            echo 1 >tree/a/one; echo 2 >'tree/b c/two'; ln -s a/one tree/link
            rsync -a -e "$SSH \(options)" tree/ alice@plain.lab:\(name)/
            rsync -az -e "$SSH \(options)" alice@plain.lab:\(name)/ back/
            diff -r --no-dereference tree back
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try place.remoteContents("\(name)/b c/two") == Data("2\n".utf8))
    }

    @Test(
        "a transfer whose connection breaks is an error, and --partial goes on with what is there"
    )
    func partial() async throws {
        let bytes = noise(12_000_000, seed: 9)
        try place.user.write("big", bytes)
        let link = try await FaultLink(to: "plain.lab", plan: .cutUp(after: 5_000_000, .rst))
        let broken = try await place.shell(
            """
            rsync --partial -e "$SSH -p \(link.port)" big alice@127.0.0.1:\(name)
            """
        )
        #expect([10, 12, 255].contains(broken.status), "\(broken.errorText)")
        // Over there it takes its time to find out.
        let deadline = ContinuousClock.now + .seconds(20)
        while try place.remoteContents(name) == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        let begun = try place.remoteContents(name)?.count ?? 0
        #expect((1_000_000..<12_000_000).contains(begun))
        let rest = try await place.shell(
            """
            rsync --partial --append-verify --stats -e "$SSH" big alice@plain.lab:\(name) |
                grep 'Literal data'
            """
        )
        #expect(rest.status == 0, "\(rest.errorText)")
        #expect(try place.remoteContents(name) == bytes)
        let sent = Int(rest.outputText.filter(\.isNumber)) ?? -1
        #expect(sent == bytes.count - begun)
    }

    @Test("ends with its own words and a status that says so when the login fails")
    func refused() async throws {
        let run = try await place.shell(
            "rsync -e \"$SSH -o BatchMode=yes\" .ssh/config nobody@debian.lab:x"
        )
        // Its own, or ours: which one depends on who finds out first.
        #expect([12, 255].contains(run.status))
        #expect(run.errorText.contains("nobody@debian.lab: Permission denied (publickey)."))
        #expect(run.errorText.contains("rsync error: "))
    }
}
