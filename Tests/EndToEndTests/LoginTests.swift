import Foundation
import TestSupport
import Testing

/// Ways to prove who we are.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct LoginTests {
    let client: Client
    let host = "alice@plain.lab"

    init() throws {
        var client = try Client()
        client.options = ["-o", "StrictHostKeyChecking=accept-new"]
        self.client = client
    }

    @Test("a password comes from SSH_ASKPASS", arguments: ["password", "keyboard-interactive"])
    func askpass(method: String) async throws {
        let run = try await client.run(
            ["-o", "PreferredAuthentications=\(method)", host, "id", "-un"],
            environment: try askpass("correct horse")
        )
        #expect(run.outputText == "alice\n", "\(run.errorText)")
    }

    @Test("a wrong password is refused after NumberOfPasswordPrompts tries")
    func wrongPassword() async throws {
        let run = try await client.run(
            [
                "-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=2", host,
                "true",
            ],
            environment: try askpass("wrong")
        )
        #expect(run.status == 255)
        #expect(client.user.contents("asked")?.split(separator: "\n").count == 2)
        #expect(run.errorLines.last?.hasPrefix("\(host): Permission denied (") == true)
    }

    @Test("BatchMode asks for nothing")
    func batch() async throws {
        let run = try await client.run(
            ["-o", "BatchMode=yes", host, "true"],
            environment: try askpass("correct horse")
        )
        #expect(run.status == 255)
        #expect(client.user.contents("asked") == nil)
        #expect(run.errorLines.last?.hasPrefix("\(host): Permission denied (") == true)
    }

    @Test("an encrypted key is opened with its passphrase, and a wrong one is asked for again")
    func encryptedKey() async throws {
        let key = try await encrypted("open sesame")
        let run = try await client.run(
            ["-i", key, "-o", "PasswordAuthentication=no", host, "id", "-un"],
            environment: try askpass("wrong", "open sesame")
        )
        #expect(run.outputText == "alice\n", "\(run.errorText)")
        #expect(client.user.contents("asked")?.contains("passphrase for key '\(key)'") == true)
    }

    @Test("a key in an agent is used, and IdentitiesOnly keeps it from being used")
    func agent() async throws {
        let key = try client.user.takeKey("ed25519")
        let socket = client.user.path("agent")
        let script = """
            eval $(ssh-agent -a \(socket)) >/dev/null
            trap 'kill $SSH_AGENT_PID' EXIT
            ssh-add -q \(key) && rm \(key)
            "$@" \(host) id -un
            "$@" -o IdentitiesOnly=yes -o BatchMode=yes \(host) id -un
            echo $?
            """
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options,
            as: client.user
        )
        #expect(run.outputText == "alice\n255\n", "\(run.errorText)")
    }

    @Test("a public key given with -i picks the agent's private one")
    func agentByPublicKey() async throws {
        let key = try client.user.takeKey("ed25519")
        let socket = client.user.path("agent")
        let script = """
            eval $(ssh-agent -a \(socket)) >/dev/null
            trap 'kill $SSH_AGENT_PID' EXIT
            ssh-keygen -y -f \(key) > \(key).pub
            ssh-add -q \(key) && rm \(key)
            "$@" -o IdentitiesOnly=yes -i \(key).pub \(host) id -un
            """
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options,
            as: client.user
        )
        #expect(run.outputText == "alice\n", "\(run.errorText)")
    }

    @Test("a certificate beside its key, or named, logs in", arguments: ["beside", "named"])
    func certificate(place: String) async throws {
        let key = try client.user.takeKey("stranger", as: "key")
        let authority = try client.user.takeKey("authority", as: "authority")
        let script = """
            ssh-keygen -y -f \(key) > \(key).pub
            ssh-keygen -q -s \(authority) -I test -n alice \(key).pub
            """
        let made = try await ProgramRun.run(["/bin/sh", "-c", script], as: client.user)
        try #require(made.status == 0, "\(made.errorText)")
        var options = ["-i", key]
        if place == "named" {
            let other = client.user.path("other")
            try FileManager.default.moveItem(atPath: "\(key)-cert.pub", toPath: other)
            options += ["-o", "CertificateFile=\(other)"]
        }
        let run = try await client.run(options + ["-o", "BatchMode=yes", host, "id", "-un"])
        #expect(run.outputText == "alice\n", "\(run.errorText)")
    }

    @Test("a default key file is found")
    func defaultKey() async throws {
        try client.user.takeKey("ed25519", as: ".ssh/id_ed25519")
        let run = try await client.run([host, "id", "-un"])
        #expect(run.outputText == "alice\n", "\(run.errorText)")
    }

    @Test("keys that do not fit are followed by the one that does, in one connection")
    func severalKeys() async throws {
        let stranger = try client.user.takeKey("stranger", as: "stranger")
        let fits = try client.user.takeKey("rsa", as: "fits")
        let run = try await client.run(["-i", stranger, "-i", fits, host, "id", "-un"])
        #expect(run.outputText == "alice\n", "\(run.errorText)")
    }

    @Test("no way to log in is ssh's own last line and 255")
    func refused() async throws {
        let stranger = try client.user.takeKey("stranger", as: "stranger")
        let run = try await client.run(["-i", stranger, "admin@debian.lab", "true"])
        #expect(run.status == 255)
        #expect(complaints(run).contains("admin@debian.lab: Permission denied (publickey)."))
    }

    @Test(
        "a connection closed at any place of the session is 255 and in time",
        arguments: [0, 200]
    )
    func cutInSession(after: Int) async throws {
        var client = client
        client.options += ["-i", try client.user.takeKey()]
        // The login is over after less than 4,000 bytes; the command's output follows.
        let link = try await FaultLink(
            to: "plain.lab",
            plan: .cutDown(after: 5000 + after, .rst)
        )
        let run = try await client.run(
            ["-p", "\(link.port)", "alice@127.0.0.1", "head -c 10000 /dev/zero; sleep 60"],
            limit: .seconds(15)
        )
        #expect(run.status == 255)
        #expect(!run.timedOut)
        #expect(!run.errorLines.isEmpty)
    }

    /// Variables that make a script answer every question: with its own line, the last ever after.
    private func askpass(_ answers: String...) throws -> [String: String] {
        let asked = client.user.path("asked")
        var cases = answers.enumerated().map { "\($0 + 1)) echo '\($1)';;" }
        cases.append("*) echo '\(answers.last ?? "")';;")
        let script = """
            #!/bin/sh
            echo "$1" >> \(asked)
            case $(wc -l < \(asked)) in \(cases.joined(separator: " ")) esac
            """
        let path = try client.user.write("askpass", script, mode: 0o755)
        return ["SSH_ASKPASS": path, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"]
    }

    private func encrypted(_ passphrase: String) async throws -> String {
        let key = try client.user.takeKey("ed25519")
        let made = try await ProgramRun.run(
            ["/usr/bin/ssh-keygen", "-q", "-p", "-f", key, "-P", "", "-N", passphrase],
            as: client.user
        )
        try #require(made.status == 0, "\(made.errorText)")
        return key
    }
}
