import Foundation
import TestSupport
import Testing

/// Key files as they come from a browser, a mail or another system, for a machine on EC2.
@Suite(.enabled(if: Lab.isHere && !isStockClient, "\(Lab.skipReason), and ec2sh"))
struct KeyFileTests {
    let client: Client
    let host: String

    init() throws {
        var client = try Client()
        client.options = ["-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes"]
        self.client = client
        host = try #require(client.lab.instance("ubuntu").publicName)
    }

    @Test(
        "a key that others can read is set to 0600, with one line",
        arguments: [0o644, 0o666, 0o640]
    )
    func tooOpen(mode: Int) async throws {
        let key = try client.user.takeKey(mode: mode)
        let run = try await login(key)
        #expect(run.outputText == "ubuntu\n", "\(run.errorText)")
        #expect(try client.user.mode("key.pem") == 0o600)
        #expect(complaints(run).count == 1, "\(run.errorText)")
        #expect(run.errorText.contains(key))
    }

    @Test("a key that nobody else can read is left alone", arguments: [0o600, 0o400])
    func closed(mode: Int) async throws {
        let key = try client.user.takeKey(mode: mode)
        let run = try await login(key)
        #expect(run.outputText == "ubuntu\n", "\(run.errorText)")
        #expect(try client.user.mode("key.pem") == mode)
        #expect(complaints(run).isEmpty)
    }

    @Test("EC2FixKeyPermissions=no leaves the file alone and the key unused")
    func notMended() async throws {
        let key = try client.user.takeKey(mode: 0o644)
        let run = try await client.run(
            ["-o", "EC2FixKeyPermissions=no", "-i", key, "ubuntu@\(host)", "id -un"]
        )
        #expect(run.status == 255)
        #expect(run.errorText.contains("UNPROTECTED PRIVATE KEY FILE"))
        #expect(try client.user.mode("key.pem") == 0o644)
    }

    @Test("for other hosts a key that is too open is refused as ssh refuses it")
    func plainHost() async throws {
        let key = try client.user.takeKey(mode: 0o644)
        let run = try await client.run(["-i", key, "alice@plain.lab", "id -un"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("UNPROTECTED PRIVATE KEY FILE"))
        #expect(try client.user.mode("key.pem") == 0o644)
    }

    @Test(
        "damage by mail, editors and other systems is read as meant",
        arguments: ["CRLF", "no last newline", "BOM", "leading blanks", "all of it"],
        ["rsa", "ed25519"]
    )
    func damaged(how: String, kind: String) async throws {
        var text = try String(contentsOfFile: client.lab.key(kind), encoding: .utf8)
        if how == "CRLF" || how == "all of it" {
            text = text.replacingOccurrences(of: "\n", with: "\r\n")
        }
        if how == "no last newline" || how == "all of it" {
            while text.last?.isNewline == true { text.removeLast() }
        }
        if how == "leading blanks" || how == "all of it" { text = "\n  " + text }
        if how == "BOM" || how == "all of it" { text = "\u{FEFF}" + text }
        let key = try client.user.write("key.pem", text)
        let run = try await login(key)
        #expect(run.outputText == "ubuntu\n", "\(run.errorText)")
        // Bytes, not characters: Foundation drops a BOM when it reads text.
        #expect(FileManager.default.contents(atPath: key) == Data(text.utf8))
    }

    @Test(
        "PuTTY's own key files are read",
        .enabled(if: Lab.current?.keys["ppk2"] != nil, "no puttygen"),
        arguments: ["ppk2", "ppk3"]
    )
    func putty(kind: String) async throws {
        let key = try client.user.takeKey(kind, as: "key.ppk")
        let run = try await login(key)
        #expect(run.outputText == "ubuntu\n", "\(run.errorText)")
    }

    @Test("a public key given by mistake is named as such")
    func publicKey() async throws {
        let text = try String(contentsOfFile: client.lab.key("rsa") + ".pub", encoding: .utf8)
        let key = try client.user.write("key.pem", text)
        let run = try await login(key)
        #expect(run.status == 255)
        #expect(run.errorText.contains("public key"), "\(run.errorText)")
        #expect(run.errorText.contains(key))
    }

    @Test("a key file that is not there is named")
    func missing() async throws {
        let run = try await login(client.user.path("no-such.pem"))
        #expect(run.status == 255)
        #expect(run.errorText.contains("no-such.pem"))
    }

    @Test("a key file that is somebody else's and closed to us is named")
    func unreadable() async throws {
        let key = client.user.path("root.pem")
        try FileManager.default.copyItem(atPath: client.lab.key("rsa"), toPath: key)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        let run = try await login(key)
        #expect(run.status == 255)
        #expect(run.errorText.contains("root.pem"))
        #expect(run.errorText.contains("Permission denied"))
    }

    private func login(_ key: String) async throws -> ProgramRun {
        try await client.run(["-i", key, host, "id -un"])
    }
}
