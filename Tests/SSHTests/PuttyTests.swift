import Foundation
import Posix
import Testing

@testable import SSH

private let passphrase = "throw away"
private func text(_ name: String) -> String { KeyVectors.text("keys/\(name).ppk") }

private func importable(
    _ text: String,
    _ passphrase: String?
) throws(KeyFileFault) -> KeyFile.Importable {
    try KeyFile.read(Array(text.utf8), path: "k.ppk").importable(passphrase: passphrase) { _, _ in
        nil
    }
}

private func problem(_ text: String, _ passphrase: String? = nil) -> KeyFileFault.Problem? {
    do throws(KeyFileFault) {
        _ = try importable(text, passphrase)
        return nil
    } catch {
        return error.problem
    }
}

private let kinds = ["ed25519", "rsa", "ecdsa256", "ecdsa384", "ecdsa521"]

struct PuttyTests {
    @Test(
        "A key of PuTTY's becomes the same key of OpenSSH's",
        arguments: kinds,
        [
            "v2", "v3", "v2-encrypted", "v3-encrypted",
        ]
    )
    func converted(kind: String, form: String) throws {
        let isEncrypted = form.hasSuffix("encrypted")
        let file = try KeyFile.read(Array(text("\(kind)-\(form)").utf8), path: "k")
        #expect(file.format == .putty(version: form.hasPrefix("v2") ? 2 : 3))
        #expect(file.isEncrypted == isEncrypted)
        let result = try file.importable(passphrase: isEncrypted ? passphrase : nil)
        #expect(result.passphrase == nil)
        // Both private halves are the same when OpenSSH writes them the same way.
        #expect(try normalised(result.text) == normalised(KeyVectors.bytes("keys/\(kind)")))
        _ = try PrivateKey(text: result.text, passphrase: nil)
    }

    /// The key as ssh-keygen writes it in PKCS#8 or, where that knows the kind not, in its own form.
    private func normalised(_ text: [UInt8]) throws -> String {
        let scratch = KeyScratch()
        let path = scratch.write("key", String(decoding: text, as: UTF8.self))
        let (publicLine, _) = runProgram("/usr/bin/ssh-keygen", ["-y", "-f", path])
        let (_, status) = runProgram(
            "/usr/bin/ssh-keygen",
            ["-q", "-p", "-m", "PKCS8", "-N", "", "-P", "", "-f", path]
        )
        #expect(status == 0)
        let written = scratch.read("key")
        // OpenSSH has no PKCS#8 for Ed25519; its own form has random numbers in it.
        return publicLine + (written.contains("OPENSSH") ? "" : written)
    }

    @Test("Each variant of Argon2 is computed", arguments: ["argon2i", "argon2d"])
    func variants(name: String) throws {
        _ = try importable(text("ed25519-v3-\(name)"), passphrase)
    }

    @Test("A wrong passphrase or none is said so", arguments: ["v2-encrypted", "v3-encrypted"])
    func wrongPassphrase(form: String) {
        for name in kinds {
            #expect(problem(text("\(name)-\(form)")) == .wrongPassphrase)
            #expect(problem(text("\(name)-\(form)"), "throw") == .wrongPassphrase)
            #expect(problem(text("\(name)-\(form)"), "") == .wrongPassphrase)
        }
    }

    @Test("Line ends, and blanks of editors do not matter", arguments: ["\r\n", "\r", " \n"])
    func lineEnds(end: String) throws {
        let spoilt = text("rsa-v3").replacingOccurrences(of: "\n", with: end)
        let fixed =
            end == " \n" ? spoilt.replacingOccurrences(of: "away \n", with: "away\n") : spoilt
        #expect(problem(fixed) == nil)
        #expect(problem("\u{feff}" + text("rsa-v3-encrypted"), passphrase) == nil)
    }

    @Test(
        "Every line is covered by the check sum",
        arguments: [
            ("ssh-ed25519\n", "ssh-rsa\n"), ("Comment: throw-away", "Comment: throw"),
            ("AAAAC3NzaC1lZDI1NTE5AAAAI", "AAAAC3NzaC1lZDI1NTE5AAAAJ"),
            ("Private-MAC: ", "Private-MAC: 00"),
        ]
    )
    func changed(part: String, by other: String) {
        for form in ["v2", "v3"] {
            let spoilt = text("ed25519-\(form)").replacingOccurrences(of: part, with: other)
            #expect(spoilt != text("ed25519-\(form)"))
            #expect(problem(spoilt) == .puttyChanged)
        }
    }

    @Test(
        "A file that is no key of PuTTY's, or one we do not know, is named",
        arguments: [
            ("PuTTY-User-Key-File-1: ssh-rsa\n", KeyFileFault.Problem.puttyVersion(1)),
            ("PuTTY-User-Key-File-4: ssh-rsa\n", .puttyVersion(4)),
            ("PuTTY-User-Key-File-3: ssh-dss\n", .puttyKind("ssh-dss")),
            ("PuTTY-User-Key-File-3: ssh-ed448\n", .puttyKind("ssh-ed448")),
            ("PuTTY-User-Key-File-3", .damaged),
            ("PuTTY-User-Key-File-3: ssh-rsa\n", .damaged),
            ("PuTTY-User-Key-File-99999999999999999999: ssh-rsa\n", .damaged),
        ]
    )
    func others(text: String, expected: KeyFileFault.Problem) {
        #expect(problem(text) == expected)
    }

    @Test(
        "Costs that would take the machine are refused",
        arguments: [
            ("Argon2-Memory: 1024", "Argon2-Memory: 4294967295"),
            ("Argon2-Passes: 3", "Argon2-Passes: 4294967295"),
            ("Argon2-Passes: 3", "Argon2-Passes: 0"),
            ("Argon2-Parallelism: 1", "Argon2-Parallelism: 16777215"),
            ("Argon2-Parallelism: 1", "Argon2-Parallelism: 0"),
            ("Argon2-Memory: 1024", "Argon2-Memory: 1"),
            ("Argon2-Salt: ", "Argon2-Salt: x"),
            ("Key-Derivation: Argon2d", "Key-Derivation: scrypt"),
            ("Private-Lines: 1", "Private-Lines: 1000000"),
            ("Private-Lines: 1", "Private-Lines: -1"),
        ]
    )
    func costs(part: String, by other: String) {
        let original = text("ed25519-v3-argon2d")
        #expect(original.contains(part))
        #expect(problem(original.replacingOccurrences(of: part, with: other), "x") == .damaged)
    }

    @Test("A file cut anywhere is named")
    func cut() {
        let bytes = Array(text("ed25519-v2").utf8)
        for length in 0..<(bytes.count - 1) {
            #expect(problem(String(decoding: bytes.prefix(length), as: UTF8.self)) != nil)
        }
    }

    @Test("puttygen converts what we could not, with the passphrase it has")
    func puttygen() throws {
        let path = KeyVectors.folder.appendingPathComponent("keys/ed25519-v3-encrypted.ppk").path
        try #require(isAccessible(path: "/usr/bin/puttygen", executing: true), "needs putty-tools")
        let converted = try #require(convertWithPuttygen(path, passphrase))
        _ = try PrivateKey(text: converted, passphrase: passphrase)
        #expect(convertWithPuttygen(path, "wrong") == nil)
        #expect(convertWithPuttygen(path + ".missing", passphrase) == nil)
    }
}
