import Foundation
import TestSupport
import Testing

/// Host keys: nothing passes before they are right.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct TrustTests {
    let client: Client
    let key: String

    init() throws {
        client = try Client()
        key = try client.user.takeKey()
    }

    @Test("an unknown key is refused in batch mode and no file is written")
    func unknown() async throws {
        let run = try await client.run([
            "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "admin@debian.lab", "true",
        ])
        #expect(run.status == 255)
        #expect(run.errorLines.last == "Host key verification failed.")
        #expect(client.user.contents(".ssh/known_hosts") == nil)
    }

    @Test("accept-new learns a key once and says so once")
    func learns() async throws {
        let arguments = [
            "-i", key, "-o", "StrictHostKeyChecking=accept-new", "admin@debian.lab", "true",
        ]
        let first = try await client.run(arguments)
        #expect(first.errorText.hasPrefix("Warning: Permanently added 'debian.lab' ("))
        let second = try await client.run(arguments)
        #expect(second.errorText == "")
        let lines = client.user.contents(".ssh/known_hosts")?.split(separator: "\n") ?? []
        #expect(lines.count >= 1)
        #expect(try client.user.mode(".ssh/known_hosts") == 0o600)
    }

    @Test(
        "a changed key stops the run, whatever is allowed for new ones",
        arguments: ["accept-new", "ask", "yes"]
    )
    func changed(policy: String) async throws {
        let wrong = try hostKey("ubuntu")
        let known = "debian.lab \(wrong)\n"
        try client.user.write(".ssh/known_hosts", known)
        let run = try await client.run([
            "-i", key, "-o", "HostKeyAlgorithms=ssh-ed25519", "-o", "HashKnownHosts=no",
            "-o", "StrictHostKeyChecking=\(policy)", "admin@debian.lab", "true",
        ])
        #expect(run.status == 255)
        #expect(run.errorText.contains("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!"))
        #expect(run.errorText.contains("\(client.user.home)/.ssh/known_hosts:1"))
        #expect(run.errorLines.last == "Host key verification failed.")
        #expect(client.user.contents(".ssh/known_hosts") == known)
    }

    @Test("a certificate authority that cannot be asked is said")
    func authority() async throws {
        let known = "@cert-authority *.lab \(try hostKey("ubuntu"))\n"
        try client.user.write(".ssh/known_hosts", known)
        let run = try await client.run([
            "-i", key, "-o", "StrictHostKeyChecking=yes", "admin@debian.lab", "true",
        ])
        #expect(run.status == 255)
        let line = "ec2sh: a certificate authority is known for debian.lab, "
        #expect(run.errorLines.first?.hasPrefix(line) == true)
        #expect(run.errorLines.last == "Host key verification failed.")
    }

    @Test("a key that is marked as revoked stops the run")
    func revoked() async throws {
        try client.user.write(".ssh/known_hosts", "@revoked debian.lab \(try hostKey("debian"))\n")
        let run = try await client.run([
            "-i", key, "-o", "HostKeyAlgorithms=ssh-ed25519",
            "-o", "StrictHostKeyChecking=accept-new", "admin@debian.lab", "true",
        ])
        #expect(run.status == 255)
        #expect(run.errorText.contains("REVOKED HOST KEY DETECTED"))
    }

    @Test("known_hosts that cannot be written is one warning and no reason to stop")
    func fullDisk() async throws {
        let full = client.user.path("full")
        try client.user.makeDirectory("full")
        let mounted = try await ProgramRun.run([
            "/usr/bin/mount", "-t", "tmpfs", "-o", "size=4k,mode=0777", "tmpfs", full,
        ])
        try #require(mounted.status == 0, "\(mounted.errorText)")
        _ = try await ProgramRun.run([
            "/bin/sh", "-c", "head -c 100000 /dev/zero > \(full)/filler",
        ])
        let run = try await client.run([
            "-i", key, "-o", "StrictHostKeyChecking=accept-new",
            "-o", "UserKnownHostsFile=\(full)/known_hosts", "admin@debian.lab", "hostname",
        ])
        #expect(run.outputText == "ip-10-13-0-13\n", "\(run.errorText)")
        #expect(run.status == 0)
        #expect(run.errorText.contains("\(full)/known_hosts"), "\(run.errorText)")
        #expect(run.errorLines.count <= 2)
    }

    /// The type and base64 of an instance's Ed25519 key.
    private func hostKey(_ name: String) throws -> String {
        let directory = try client.lab.instance(name).hostKeys
        let text = try String(
            contentsOfFile: "\(directory)/ssh_host_ed25519_key.pub",
            encoding: .utf8
        )
        return text.split(separator: " ").prefix(2).joined(separator: " ")
    }
}
