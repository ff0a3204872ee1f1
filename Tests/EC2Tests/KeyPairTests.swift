import Foundation
import TestSupport
import Testing

@testable import EC2

/// Runs a program that keys and their fingerprints come from.
private func run(_ arguments: String..., input: Data? = nil) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let (output, standardInput) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = standardInput
    try process.run()
    if let input { try standardInput.fileHandleForWriting.write(contentsOf: input) }
    try standardInput.fileHandleForWriting.close()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments)")
    return data
}

private final class KeyFiles {
    let path = NSTemporaryDirectory() + "ec2sh-keys-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes a key and gives its public half in SSH's encoding.
    func make(_ name: String, _ arguments: String...) throws -> [UInt8] {
        let file = "\(path)/\(name)"
        let options = arguments.joined(separator: " ")
        _ = try run("sh", "-c", "ssh-keygen -q -N '' \(options) -f '\(file)'")
        let words = try String(contentsOfFile: file + ".pub", encoding: .utf8).split(separator: " ")
        return Array(try #require(Data(base64Encoded: String(words[1]))))
    }

    /// What openssl says of a key in DER: the last word of its answer.
    func hash(_ command: String) throws -> String {
        let text = String(
            decoding: try run("sh", "-c", "cd '\(path)' && \(command)"),
            as: UTF8.self
        )
        return try #require(
            text.split(whereSeparator: { $0.isWhitespace || $0 == "=" }).last.map(String.init)
        )
    }
}

struct KeyPairTests {
    @Test("An RSA key that AWS has made is known by SHA-1 of its PKCS#8 form")
    func made() throws {
        let files = try KeyFiles()
        let blob = try files.make("k", "-t rsa -b 2048 -m PEM")
        let text = try files.hash(
            "openssl pkcs8 -in k -inform PEM -outform DER -topk8 -nocrypt | openssl sha1 -c"
        )
        let fingerprint = try #require(KeyPairFingerprint(text))
        let der = try run("sh", "-c", "grep -v -- ----- '\(files.path)/k' | openssl base64 -d")
        let key = KeyMaterial(blob: blob, rsaPrivateKey: Array(der))
        #expect(fingerprint.matches(key) == true)
        let whole = try run(
            "openssl",
            "pkcs8",
            "-in",
            "\(files.path)/k",
            "-outform",
            "DER",
            "-topk8",
            "-nocrypt"
        )
        #expect(fingerprint.matches(KeyMaterial(blob: nil, privateInfo: Array(whole))) == true)
        #expect(fingerprint.matches(KeyMaterial(blob: blob)) == nil)
        #expect(fingerprint.matches(KeyMaterial(blob: blob, privateInfo: [1])) == false)
    }

    @Test(
        "An RSA key that was imported is known by MD5 of its public half",
        arguments: [2048, 3072]
    )
    func imported(bits: Int) throws {
        let files = try KeyFiles()
        let blob = try files.make("k", "-t rsa -b \(bits) -m PEM")
        let text = try files.hash("openssl rsa -in k -pubout -outform DER | openssl md5 -c")
        let fingerprint = try #require(KeyPairFingerprint(text))
        #expect(fingerprint.matches(KeyMaterial(blob: blob)) == true)
        #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.hostRSA.blob)) == false)
        #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.hostEd25519.blob)) == false)
    }

    @Test("An Ed25519 key is known as OpenSSH knows it, with padding or without")
    func ed25519() throws {
        let vector = KeyVector.hostEd25519
        let digits = vector.sha256.dropFirst("SHA256:".count)
        for text in [vector.sha256, String(digits), "\(digits)="] {
            let fingerprint = try #require(KeyPairFingerprint(text))
            #expect(fingerprint.matches(KeyMaterial(blob: vector.blob)) == true)
            #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.otherEd25519.blob)) == false)
        }
    }

    @Test(
        "What is no fingerprint is none",
        arguments: [
            "", ":", "aa", "zz:zz", "aa:bb:cc", String(repeating: "a", count: 43) + "!", "é",
        ]
    )
    func spoilt(text: String) { #expect(KeyPairFingerprint(text) == nil) }

    @Test("The public key itself decides where AWS has kept it")
    func publicKey() {
        let vector = KeyVector.hostRSA
        let proof = KeyPairProof(fingerprint: nil, publicKey: vector.line)
        #expect(proof.matches(KeyMaterial(blob: vector.blob)) == true)
        #expect(proof.matches(KeyMaterial(blob: KeyVector.hostECDSA.blob)) == false)
        #expect(proof.matches(KeyMaterial(blob: nil)) == nil)
        #expect(
            KeyPairProof(fingerprint: "x", publicKey: "ssh-rsa AAAA").matches(
                KeyMaterial(blob: vector.blob)
            ) == nil
        )
    }

    @Test("Files are looked for by the pair's name first, then by the names that all have")
    func candidates() {
        let paths = KeyCandidates.paths(
            keyName: "My Key",
            in: [
                ("/s", ["config", "id_rsa", "id_rsa.pub", "known_hosts", "my key", "other.pem"]),
                (
                    "/d",
                    [
                        "My Key (1).pem", "My Key.pem", "My Key.pem.zip", "MY KEY.PEM", "a.PPK",
                        "notes.txt",
                    ]
                ),
            ]
        )
        #expect(
            paths == [
                "/d/My Key.pem", "/s/my key", "/d/MY KEY.PEM", "/d/My Key (1).pem", "/s/id_rsa",
                "/s/other.pem", "/d/a.PPK",
            ]
        )
        #expect(
            KeyCandidates.paths(keyName: "web.pem", in: [("/d", ["web.pem", "web.pem.pem"])]).count
                == 2
        )
        #expect(KeyCandidates.paths(keyName: "a/b", in: [("/d", ["b", "a"])]).isEmpty)
    }
}
