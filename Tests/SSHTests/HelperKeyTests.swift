import Crypto
import Foundation
import TestSupport
import Testing

@testable import SSH

/// Keys that OpenSSH's helpers sign with: what goes to them, and what comes back.
struct HelperKeyTests {
    @Test("an RSA token gets the hash of the announced algorithm with its name")
    func rsaInput() throws {
        let key = try #require(HostKey(blob: rsaBlob))
        for (algorithm, length) in [
            ("rsa-sha2-512", 83), ("rsa-sha2-256", 51), ("ssh-rsa", 35),
            ("rsa-sha2-512-cert-v01@openssh.com", 83),
        ] {
            let plan = try #require(TokenSignature(key, algorithm))
            let input = plan.input([1, 2, 3])
            #expect(input.count == length)
            #expect(input[1] == UInt8(length - 2))
        }
        let plan = try #require(TokenSignature(key, "rsa-sha2-256"))
        #expect(plan.input([]).suffix(32).elementsEqual(SHA256.hash(data: [UInt8]())))
    }

    @Test("an RSA signature is as long as the key, and never longer")
    func rsaSignature() throws {
        let key = try #require(HostKey(blob: rsaBlob))
        let plan = try #require(TokenSignature(key, "rsa-sha2-512"))
        let signature = try #require(plan.signature([7]))
        var reader = WireReader(signature)
        #expect(reader.text() == "rsa-sha2-512")
        let value = reader.string() ?? []
        #expect(value.count == 256 && value.last == 7 && value.dropLast().allSatisfy { $0 == 0 })
        #expect(reader.isAtEnd)
        #expect(plan.signature([UInt8](repeating: 1, count: 257)) == nil)
    }

    @Test("an ECDSA signature is taken out of DER")
    func ecdsaSignature() throws {
        let pair = P256.Signing.PrivateKey()
        var blob = WireWriter()
        for field in [
            Array("ecdsa-sha2-nistp256".utf8), Array("nistp256".utf8),
            Array(pair.publicKey.x963Representation),
        ] { blob.string(field) }
        let key = try #require(HostKey(blob: blob.bytes))
        let plan = try #require(TokenSignature(key, "ecdsa-sha2-nistp256"))
        let data: [UInt8] = [1, 2, 3]
        #expect(plan.input(data).elementsEqual(SHA256.hash(data: data)))
        let der = Array(try pair.signature(for: data).derRepresentation)
        let encoded = try #require(plan.signature(der))
        var reader = WireReader(encoded)
        #expect(reader.text() == "ecdsa-sha2-nistp256")
        var numbers = WireReader(reader.string() ?? [])
        let halves = [numbers.integer() ?? [], numbers.integer() ?? []].map {
            [UInt8](repeating: 0, count: 32 - $0.count) + $0
        }
        let raw = Data(halves[0] + halves[1])
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: raw)
        #expect(pair.publicKey.isValidSignature(signature, for: data))
        for cut in 0..<der.count { #expect(plan.signature(Array(der[..<cut])) == nil) }
    }

    @Test(
        "the helper's answer is a signature or OpenSSH's error code",
        arguments: [
            ([5, 0, 0, 0, 1, 0, 0, 0, 2, 8, 9], .success([8, 9])),
            ([5, 0, 0, 0, 0, 0, 0, 0, 43], .failure(.wrongPIN)),
            ([5, 0, 0, 0, 0, 0, 0, 0, 60], .failure(.noDevice)),
            ([5, 0, 0, 0, 0, 0, 0, 0, 4], .failure(.code(4))),
            ([5, 0, 0, 0, 0], .failure(.code(0))),
            ([5, 0, 0, 0, 1, 0, 0, 0, 2, 8, 9, 0], .failure(.helper("invalid format"))),
            ([5, 0, 0, 0, 2, 0, 0, 0, 0], .failure(.helper("invalid format"))),
            ([4, 0, 0, 0, 1, 0, 0, 0, 0], .failure(.helper("no answer"))),
            ([], .failure(.helper("no answer"))),
        ] as [([UInt8], Result<[UInt8], SecurityKeyHelper.Failure>)]
    )
    func answers(bytes: [UInt8], answer: Result<[UInt8], SecurityKeyHelper.Failure>) {
        #expect(SecurityKeyHelper.signature(in: bytes) == answer)
    }

    @Test(
        "a key file of a security key shows what the helper needs",
        arguments: ["ed25519", "ecdsa"]
    )
    func keyFile(kind: String) throws {
        try #require(FileManager.default.fileExists(atPath: dummyDevice), "openssh-tests")
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("ec2sh-sk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appendingPathComponent("key").path
        try runTool(
            "/usr/bin/ssh-keygen",
            ["-q", "-t", "\(kind)-sk", "-w", dummyDevice, "-f", path, "-N", "", "-C", "mine"]
        )
        let text = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        let key = try #require(SecurityKey(text: text))
        #expect(key.comment == "mine")
        #expect(key.needsTouch)
        let helper = SecurityKeyHelper(
            path: SecurityKeyHelper.defaultPath,
            provider: dummyDevice,
            logLevel: 2
        )
        let signature = try helper.sign([1, 2, 3], with: key, pin: [])
        var reader = WireReader(signature)
        #expect(reader.text() == key.publicKey.algorithm)
        for cut in 0..<text.count { _ = SecurityKey(text: Array(text[..<cut])) }
    }

    private let dummyDevice = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so"

    /// A key with 2048 bits.
    private var rsaBlob: [UInt8] {
        var writer = WireWriter()
        writer.string(Array("ssh-rsa".utf8))
        writer.string([1, 0, 1])
        writer.integer([UInt8](repeating: 0xa5, count: 256))
        return writer.bytes
    }
}
