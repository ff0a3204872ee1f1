import Foundation
import TestSupport
import Testing

/// The options about host keys that only some people set.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct HostKeyOptionTests {
    let client: Client
    let host = "admin@debian.lab"

    init() throws {
        client = try Client.withKey()
    }

    /// A public key file of an instance.
    private func hostKey(_ name: String) throws -> String {
        try client.lab.instance(name).hostKeys + "/ssh_host_ed25519_key.pub"
    }

    @Test(
        "RevokedHostKeys refuses a key that is in it, and lets others by",
        arguments: ["lines", "krl", "hashes"]
    )
    func revoked(form: String) async throws {
        for (name, isRevoked) in [("debian", true), ("ubuntu", false)] {
            let key = try hostKey(name)
            let list = client.user.path("revoked-\(name)")
            switch form {
            case "lines":
                let text = try String(contentsOfFile: key, encoding: .utf8)
                try client.user.write("revoked-\(name)", "# gone\n\n" + text)
            default:
                let input = client.user.path("input")
                let line = try String(contentsOfFile: key, encoding: .utf8)
                try client.user.write("input", form == "krl" ? line : "sha256: \(line)")
                let made = try await ProgramRun.run(
                    ["/usr/bin/ssh-keygen", "-q", "-k", "-f", list, input],
                    as: client.user
                )
                try #require(made.status == 0, "\(made.errorText)")
            }
            let run = try await client.run([
                "-oHostKeyAlgorithms=ssh-ed25519", "-oRevokedHostKeys=\(list)", host, "echo", "in",
            ])
            #expect(run.outputText == (isRevoked ? "" : "in\n"), "\(run.errorText)")
            if isRevoked {
                #expect(run.status == 255)
                #expect(run.errorText.contains("revoked by file \(list)"))
                #expect(run.errorLines.last == "Host key verification failed.")
            }
        }
    }

    @Test("a list of revoked keys that is not there or damaged lets no key pass")
    func unreadable() async throws {
        let noise = try client.user.write("noise", "SSHKRL\n\0damaged")
        for list in ["/nowhere/list", noise] {
            let run = try await client.run(["-oRevokedHostKeys=\(list)", host, "true"])
            #expect(run.status == 255)
            #expect(run.errorText.contains("in revoked keys file \(list): "))
        }
    }

    @Test("VisualHostKey shows what ssh shows")
    func picture() async throws {
        let arguments = ["-oVisualHostKey=yes", "-oHostKeyAlgorithms=ssh-ed25519", host, "true"]
        _ = try await client.run(arguments)
        let ours = try await client.run(arguments)
        let theirs = try await ProgramRun.run(
            ["/usr/bin/ssh"] + client.options + arguments,
            as: client.user
        )
        #expect(ours.errorText.contains("[SHA256]"))
        #expect(ours.errorText == theirs.errorText)
    }

    @Test("VerifyHostKeyDNS says in the question that no record matches")
    func noRecord() async throws {
        let run = try await ProgramRun.run(
            [
                client.binary, "-oStrictHostKeyChecking=ask", "-oVerifyHostKeyDNS=yes", host,
                "true",
            ],
            as: client.user,
            environment: [
                "SSH_ASKPASS": try client.user.write(
                    "askpass",
                    "#!/bin/sh\necho \"$1\" >> \(client.user.path("asked"))\necho no\n",
                    mode: 0o755
                ),
                "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
            ]
        )
        #expect(run.status == 255)
        let asked = client.user.contents("asked") ?? ""
        #expect(asked.contains("No matching host key fingerprint found in DNS.\n"))
    }
}
