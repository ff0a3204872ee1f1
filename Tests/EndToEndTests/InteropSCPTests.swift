import Foundation
import TestSupport
import Testing

/// scp, over SFTP and by its old protocol.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .enabled(if: Tool.scp.isHere, "no scp"))
struct InteropSCPTests {
    let place: Workplace
    let name: String

    init() throws {
        place = try Workplace()
        name = place.unique("scp")
    }

    @Test(
        "copies files there and back, byte for byte",
        arguments: [[], ["-O"], ["-C"], ["-O", "-C"], ["-P", "22", "-o", "Ciphers=aes256-ctr"]]
    )
    func thereAndBack(options: [String]) async throws {
        let bytes = noise(4_000_001, seed: 2)
        try place.user.write("up", bytes)
        let there = try await scp(options + ["up", "alice@plain.lab:\(name)"])
        #expect(there.status == 0, "\(there.errorText)")
        #expect(try place.remoteContents(name) == bytes)
        let back = try await scp(options + ["scp://alice@plain.lab:22/\(name)", "down"])
        #expect(back.status == 0, "\(back.errorText)")
        #expect(FileManager.default.contents(atPath: place.user.path("down")) == bytes)
    }

    @Test("copies a tree with its times and modes", arguments: [[], ["-O"]])
    func tree(options: [String]) async throws {
        let run = try await place.shell(
            """
            mkdir -p tree/a/b 'tree/with space'
            echo 1 >tree/a/b/one; echo 2 >'tree/with space/two'
            chmod 640 tree/a/b/one; touch -d 2001-02-03T04:05:06 tree/a/b/one
            scp -q \(options.joined(separator: " ")) -S "$SSH" -rp tree alice@plain.lab:\(name)
            scp -q \(options.joined(separator: " ")) -S "$SSH" -rp alice@plain.lab:\(name) back
            diff -r tree back
            TZ= stat -c '%a %y' back/a/b/one | cut -c 1-23
            """
        )
        #expect(run.outputText.hasPrefix("640 2001-02-03 04:05:06"), "\(run.errorText)")
    }

    @Test("-3 copies from one server to another through here", arguments: [[], ["-O"]])
    func throughHere(options: [String]) async throws {
        let bytes = noise(1_500_000, seed: 3)
        try place.writeRemote(name, bytes)
        let words = options + ["-3", "alice@plain.lab:\(name)", "admin@debian.lab:\(name)"]
        let run = try await scp(words)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try place.remoteContents(name, on: "debian") == bytes)
    }

    @Test("-J copies to a server behind another", arguments: [[], ["-O"]])
    func jump(options: [String]) async throws {
        let bytes = noise(500_000, seed: 4)
        try place.user.write("up", bytes)
        let run = try await scp(
            options + ["-J", "ubuntu@ubuntu.lab", "up", "ec2-user@hidden.lab:\(name)"]
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try place.remoteContents(name, on: "hidden") == bytes)
    }

    @Test("says in its own words what is wrong, and leaves with its own status")
    func fails() async throws {
        let missing = try await scp(["alice@plain.lab:no-such-file", "down"])
        #expect(missing.status == 1)
        #expect(missing.errorText.contains("No such file or directory"))
        let nobody = ["-o", "BatchMode=yes", "nobody@debian.lab:x", "down"]
        let refused = try await place.run(["scp", "-S", place.ssh] + nobody)
        #expect(refused.status == 255)
        #expect(refused.errorText.contains("nobody@debian.lab: Permission denied (publickey)."))
    }

    private func scp(_ words: [String]) async throws -> ProgramRun {
        try await place.run(["scp", "-q", "-S", place.ssh] + words)
    }
}
