import Faults
import Foundation
import TestSupport
import Testing

@testable import SSH

private let passphrase = "throw away"
private func key(_ name: String) -> [UInt8] { KeyVectors.bytes("keys/\(name)") }

/// What ssh-keygen says the public key of a text is.
private func publicLine(_ importable: KeyFile.Importable) -> String {
    let scratch = KeyScratch()
    let path = scratch.write("key", String(decoding: importable.text, as: UTF8.self))
    let (output, _) = runProgram(
        "/usr/bin/ssh-keygen",
        ["-y", "-P", importable.passphrase ?? "", "-f", path]
    )
    return output.split(separator: " ").prefix(2).joined(separator: " ")
        .trimmingCharacters(in: .whitespacesAndNewlines)
}

private func line(_ name: String) -> String {
    KeyVectors.text("keys/\(name).pub").split(separator: " ").prefix(2).joined(separator: " ")
}

private func problem(_ bytes: [UInt8]) -> KeyFileFault.Problem? {
    do throws(KeyFileFault) {
        _ = try KeyFile.read(bytes, path: "k")
        return nil
    } catch {
        return error.problem
    }
}

struct KeyFileTests {
    @Test(
        "Every format is recognised and left as it is",
        arguments: [
            ("ed25519", KeyFile.Format.openSSH, false), ("rsa", .openSSH, false),
            ("ed25519-encrypted", .openSSH, true), ("ecdsa521", .openSSH, false),
            ("rsa-pkcs1", .pkcs1, false), ("rsa-pkcs1-encrypted", .pkcs1, true),
            ("rsa-pkcs8", .pkcs8, false), ("rsa-pkcs8-encrypted", .pkcs8, true),
            ("ecdsa256-sec1", .sec1, false),
        ]
    )
    func formats(name: String, format: KeyFile.Format, isEncrypted: Bool) throws {
        let file = try KeyFile.read(key(name), path: name)
        #expect(file.format == format)
        #expect(file.isEncrypted == isEncrypted)
        #expect(!file.isMended)
        let importable = try file.importable(passphrase: isEncrypted ? passphrase : nil)
        #expect(
            publicLine(importable) == line(name.split(separator: "-").first.map(String.init) ?? "")
                || isEncrypted && publicLine(importable).hasPrefix("ssh-")
        )
        _ = try PrivateKey(text: importable.text, passphrase: importable.passphrase)
    }

    @Test(
        "An RSA key is given as PKCS#8, as openssl writes it, whatever it is kept in",
        arguments: ["rsa", "rsa-pkcs1", "rsa-pkcs8", "rsa-v2.ppk", "rsa-v3.ppk"]
    )
    func privateKeyInfo(name: String) throws {
        let scratch = KeyScratch()
        let path = scratch.write("key", KeyVectors.text("keys/rsa-pkcs1"))
        let (text, _) = runProgram(
            "/usr/bin/openssl",
            ["pkcs8", "-topk8", "-nocrypt", "-in", path]
        )
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }
        let expected = try #require(Data(base64Encoded: lines.joined()))
        let file = try KeyFile.read(key(name), path: name)
        let info = try PrivateKey(file, passphrase: nil).rsaPrivateKeyInfo()
        #expect(info == Array(expected))
    }

    @Test("Another key has no such form", arguments: ["ed25519", "ecdsa256"])
    func noPrivateKeyInfo(name: String) throws {
        let file = try KeyFile.read(key(name), path: name)
        #expect(try PrivateKey(file, passphrase: nil).rsaPrivateKeyInfo() == nil)
    }

    /// What people do to files, and what is left of the key then: all of it.
    private static let mistakes: [(String, @Sendable (String) -> [UInt8])] = [
        ("CRLF", { Array($0.replacingOccurrences(of: "\n", with: "\r\n").utf8) }),
        ("CR", { Array($0.replacingOccurrences(of: "\n", with: "\r").utf8) }),
        ("no last line end", { Array($0.dropLast().utf8) }),
        ("a byte order mark", { [0xef, 0xbb, 0xbf] + Array($0.utf8) }),
        ("UTF-16, little", { [0xff, 0xfe] + $0.utf8.flatMap { [$0, 0] } }),
        ("UTF-16, big", { [0xfe, 0xff] + $0.utf8.flatMap { [0, $0] } }),
        ("blanks before lines", { Array($0.replacingOccurrences(of: "\n", with: "\n    ").utf8) }),
        (
            "tabs before and blanks behind lines",
            { text in
                Array(text.split(separator: "\n").map { "\t\($0)  \n" }.joined().utf8)
            }
        ),
        ("blank lines", { Array("\n\n\($0.replacingOccurrences(of: "\n", with: "\n\n"))".utf8) }),
        ("all on one line", { Array($0.replacingOccurrences(of: "\n", with: " ").utf8) }),
        (
            "JSON",
            { text in
                let escaped = text.replacingOccurrences(of: "\n", with: "\\n")
                return Array("{\"KeyName\": \"k\", \"KeyMaterial\": \"\(escaped)\"}\n".utf8)
            }
        ),
        ("text before and behind", { Array("my key:\n\($0)thanks\n".utf8) }),
        (
            "parameters before",
            { text in
                Array(
                    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n\(text)"
                        .utf8
                )
            }
        ),
    ]

    @Test(
        "A key is read as it was meant",
        arguments: mistakes.map(\.0),
        [
            "ed25519", "rsa-pkcs1", "rsa-pkcs8", "ecdsa256-sec1",
        ]
    )
    func mended(mistake: String, name: String) throws {
        let spoil = try #require(Self.mistakes.first { $0.0 == mistake }?.1)
        let file = try KeyFile.read(spoil(String(decoding: key(name), as: UTF8.self)), path: name)
        #expect(
            file.isMended || mistake == "blanks before lines" || mistake == "blank lines"
                || mistake == "text before and behind"
        )
        let text = try file.importable(passphrase: nil).text
        let plain = try KeyFile.read(key(name), path: name).importable(passphrase: nil).text
        #expect(text == plain)
    }

    @Test("The lines before an encrypted key are kept")
    func headers() throws {
        let text = String(decoding: key("rsa-pkcs1-encrypted"), as: UTF8.self)
        let spoilt = "\u{feff}" + text.replacingOccurrences(of: "\n", with: "\r\n")
        let file = try KeyFile.read(Array(spoilt.utf8), path: "k")
        #expect(file.isEncrypted)
        let importable = try file.importable(passphrase: passphrase)
        _ = try PrivateKey(text: importable.text, passphrase: importable.passphrase)
    }

    @Test(
        "Binary keys get their PEM",
        arguments: [
            ("rsa-pkcs1", KeyFile.Format.pkcs1), ("rsa-pkcs8", .pkcs8), ("ecdsa256-sec1", .sec1),
            ("rsa-pkcs8-encrypted", .pkcs8),
        ]
    )
    func binary(name: String, format: KeyFile.Format) throws {
        let body = String(decoding: key(name), as: UTF8.self)
            .split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
        let bytes = try #require(Base64.decode(body.utf8))
        let file = try KeyFile.read(bytes, path: name)
        #expect(file.format == format)
        let plain = try KeyFile.read(key(name), path: name)
        #expect(try file.importable(passphrase: "").text == plain.importable(passphrase: "").text)
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(problem(Array(bytes.prefix(length))) != nil)
        }
    }

    @Test(
        "What is no private key is named",
        arguments: [
            ("", KeyFileFault.Problem.empty), (" \n\r\n", .empty),
            (KeyVectors.text("keys/ed25519.pub"), .publicKey),
            (KeyVectors.text("keys/ed25519-cert.pub"), .certificate),
            ("# comment\nno-pty ssh-rsa AAAA", .publicKey),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", .publicKey),
            ("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n", .publicKey),
            ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", .publicKey),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", .tlsCertificate),
            ("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n", .dsa),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA", .pgp),
            ("<!DOCTYPE html>\n<html><body>Sign in</body></html>", .webPage),
            ("\n<HTML>", .webPage),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", .xml),
            ("{\"KeyFingerprint\": \"aa:bb\"}", .json),
            ("SSH PRIVATE KEY FILE FORMAT 1.1\n\u{0}\u{0}", .oldFormat),
            ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", .oldFormat),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn", .truncated),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAA\n-----END RSA PRIVATE KEY-----\n", .damaged),
            ("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n", .damaged),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
                .damaged
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\n-----END RSA PRIVATE KEY-----",
                .damaged
            ),
            ("hello", .unknown), ("-----BEGIN ", .unknown), ("\u{0}\u{1}", .unknown),
        ]
    )
    func others(text: String, expected: KeyFileFault.Problem) {
        #expect(problem(Array(text.utf8)) == expected)
    }

    @Test("A key cut anywhere is named, never half read")
    func cut() {
        for name in ["ed25519", "rsa-pkcs1"] {
            let bytes = key(name)
            for length in stride(from: 1, to: bytes.count - 3, by: 11) {
                #expect(problem(Array(bytes.prefix(length))) != nil, "\(name) \(length)")
            }
        }
    }

    @Test("A fault names the file, has OpenSSH's line, and says what to do")
    func faults() {
        let fault = KeyFileFault(path: "/k/id.pub", problem: .publicKey)
        #expect(fault.summary == "/k/id.pub is a public key")
        #expect(fault.hint == .advice("use the private key, /k/id"))
        #expect(fault.words == ["Load key \"/k/id.pub\": error in libcrypto"])
        #expect(fault.layer == .identity)
    }

    @Test(
        "The public half is seen without a passphrase where the file shows it",
        arguments: [
            ("ed25519", true), ("ecdsa256-v3-encrypted.ppk", true), ("rsa-v2.ppk", true),
            ("rsa-pkcs1", false), ("rsa-pkcs8-encrypted", false),
        ]
    )
    func publicHalf(name: String, isShown: Bool) throws {
        let file = try KeyFile.read(key(name), path: name)
        let kind = name.split(separator: "-").first.map(String.init) ?? ""
        #expect(file.publicKey?.line == (isShown ? line(kind) : nil))
    }

    @Test("Random changes never trap the reader", arguments: [UInt64(1), 2, 3])
    func fuzz(seed: UInt64) {
        var random = Seeded(seed)
        let names = [
            "ed25519", "rsa-pkcs1-encrypted", "ecdsa256-sec1", "ed25519-v2.ppk", "ed25519.pub",
        ]
        let files = names.map(key)
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            var bytes = files[Int.random(in: 0..<files.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 40))
                case 2: bytes.insert(contentsOf: bytes.prefix(30), at: at)
                default: bytes.insert("\n \\-:{<"[Int.random(in: 0..<7, using: &random)], at: at)
                }
            }
            guard let file = try? KeyFile.read(bytes, path: "k") else { continue }
            _ = try? file.importable(passphrase: "x") { _, _ in nil }
        }
    }
}

extension String {
    fileprivate subscript(index: Int) -> UInt8 { Array(utf8)[index] }
}
