import Foundation
import TestSupport
import Testing

/// sshfs, run by root: who may open /dev/fuse differs from machine to machine.
@Suite(
    .enabled(if: Lab.isHere, "\(Lab.skipReason)"),
    .enabled(if: Tool.sshfs.isHere, "no sshfs"),
    .enabled(if: access("/dev/fuse", R_OK | W_OK) == 0, "/dev/fuse cannot be opened here"),
    .serialized
)
struct InteropSSHFSTests {
    let place: Workplace
    let name: String
    let mountPoint: String

    init() throws {
        place = try Workplace()
        name = place.unique("sshfs")
        mountPoint = place.user.path("mounted")
        try place.user.makeDirectory("mounted")
    }

    @Test("mounts a directory, in which files are written, read, renamed and removed")
    func mount() async throws {
        let bytes = noise(5_000_000, seed: 10)
        try place.user.write("up", bytes)
        let run = try await mounted(
            "alice@plain.lab:",
            """
            mkdir \(name)
            cp up \(name)/file; mv \(name)/file \(name)/moved; chmod 640 \(name)/moved
            cmp "$HERE/up" \(name)/moved
            echo more >>\(name)/moved
            ln -s moved \(name)/link; ls \(name)
            : >\(name)/gone; rm \(name)/gone
            """
        )
        #expect(run.outputText == "link\nmoved\n", "\(run.errorText)")
        #expect(try place.remoteContents("\(name)/moved") == bytes + Data("more\n".utf8))
        #expect(try !FileManager.default.fileExists(atPath: place.remote("\(name)/gone")))
    }

    @Test(
        "connects again after its connection is broken or goes dead, and reads on",
        arguments: [FaultLink.Plan.Break.rst, .blackhole]
    )
    func reconnect(how: FaultLink.Plan.Break) async throws {
        let link = try await FaultLink(to: "plain.lab")
        try place.writeRemote(name, Data("first\n".utf8))
        let options = "-o reconnect,ServerAliveInterval=1,ServerAliveCountMax=2"
        let mount = try await sshfs("-p \(link.port) \(options) alice@127.0.0.1:")
        #expect(mount.status == 0, "\(mount.errorText)")
        let before = try await read()
        #expect(before.outputText == "first\n", "\(before.errorText)")
        try await link.breakOff(how)
        // What is under way when the connection breaks fails; the next is tried anew.
        var after = try await read()
        for _ in 0..<20 where after.outputText != "second\n" {
            try place.writeRemote(name, Data("second\n".utf8))
            after = try await read()
        }
        #expect(after.outputText == "second\n", "\(after.errorText)")
        let end = try await unmount()
        #expect(end.status == 0, "\(end.errorText)")
    }

    private func read() async throws -> ProgramRun {
        try await ProgramRun.run(["/bin/cat", "\(mountPoint)/\(name)"], limit: .seconds(20))
    }

    /// Mounts, runs a script in the mounted directory and unmounts.
    private func mounted(_ source: String, _ script: String) async throws -> ProgramRun {
        let mount = try await sshfs(source)
        if mount.status != 0 { return mount }
        let run = try await ProgramRun.run(
            ["/bin/sh", "-ec", script.replacingOccurrences(of: "cp up", with: "cp \"$HERE/up\"")],
            environment: ["HERE": place.user.home],
            directory: mountPoint
        )
        let end = try await unmount()
        #expect(end.status == 0, "\(end.errorText)")
        return run
    }

    private func sshfs(_ words: String) async throws -> ProgramRun {
        // root's own home is not one of the lab's.
        let home = place.user.path(".ssh")
        let options =
            "-F \(home)/config -o ssh_command=\(place.ssh),IdentityFile=\(home)/id_ed25519,"
            + "UserKnownHostsFile=\(home)/known_hosts,dir_cache=no"
        return try await ProgramRun.run([
            "/bin/sh", "-c", "sshfs \(options) \(words) \(mountPoint)",
        ])
    }

    private func unmount() async throws -> ProgramRun {
        try await ProgramRun.run(["/bin/umount", mountPoint])
    }
}
