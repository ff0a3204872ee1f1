import Foundation
import SSHConfig
import Testing

@testable import SSH

struct HostKeyTests {
    @Test(
        "A key says what it is",
        arguments: [
            ("ed25519", HostKeyKind.ed25519, "ED25519", 256),
            ("ecdsa256", .ecdsa(.p256), "ECDSA", 256),
            ("ecdsa384", .ecdsa(.p384), "ECDSA", 384),
            ("ecdsa521", .ecdsa(.p521), "ECDSA", 521),
            ("rsa2048", .rsa, "RSA", 2048),
        ]
    )
    func says(name: String, kind: HostKeyKind, short: String, bits: Int) {
        let key = KeyVectors.key(name)
        #expect(key.kind == kind)
        #expect(key.shortName == short)
        #expect(key.bits == bits)
        #expect(key.line == KeyVectors.line(name))
    }

    /// fingerprints.txt is `ssh-keygen -l -v` of each .pub in order, with four hashes each.
    @Test("Fingerprints and pictures are those of ssh-keygen")
    func fingerprints() {
        var expected = ""
        let hashes: [FingerprintHash] = [.sha256, .md5, .sha1, .sha512]
        for name in KeyVectors.names {
            let key = KeyVectors.key(name)
            for hash in hashes {
                let fingerprint = key.fingerprint(hash)
                expected += "\(key.bits) \(fingerprint) throw-away (\(key.shortName))\n"
                expected += key.randomart(hash) + "\n"
            }
        }
        #expect(expected == KeyVectors.text("known_hosts/fingerprints.txt"))
    }

    @Test("No key is made of a cut or prolonged one", arguments: KeyVectors.names)
    func cut(name: String) {
        let blob = KeyVectors.key(name).blob
        for length in 0..<blob.count { #expect(HostKey(blob: blob.prefix(length)) == nil) }
        #expect(HostKey(blob: blob + [0]) == nil)
    }

    @Test("A key of an unknown kind keeps its bytes")
    func unknownKind() {
        var writer = WireWriter()
        writer.string(Array("ssh-mldsa-65".utf8))
        writer.string([1, 2, 3])
        let key = HostKey(blob: writer.bytes)
        #expect(key?.kind == .other)
        #expect(key?.blob == writer.bytes)
        #expect(key?.algorithm == "ssh-mldsa-65")
    }

    @Test(
        "Names of algorithms stand for kinds of keys",
        arguments: [
            ("rsa-sha2-512", HostKeyKind.rsa),
            ("rsa-sha2-256-cert-v01@openssh.com", .certificate("RSA")),
            ("ssh-ed25519-cert-v01@openssh.com", .certificate("ED25519")),
            ("sk-ssh-ed25519-cert-v01@openssh.com", .certificate("ED25519-SK")),
            ("sk-ssh-ed25519@openssh.com", .ed25519SK),
            ("-cert-v01@openssh.com", .other),
            ("", .other),
        ]
    )
    func kinds(algorithm: String, kind: HostKeyKind) {
        #expect(HostKeyKind(algorithm: algorithm) == kind)
    }

    @Test(
        "A list of revoked keys made by ssh-keygen is understood",
        arguments: [
            "", "key: ", "sha1: ", "sha256: ",
        ]
    )
    func revocation(prefix: String) throws {
        let scratch = KeyScratch()
        let line = KeyVectors.line("ed25519")
        let source = scratch.write("source", prefix + line + "\n")
        let list = "\(scratch.path)/krl"
        let (_, status) = runProgram("/usr/bin/ssh-keygen", ["-k", "-f", list, source])
        #expect(status == 0)
        let bytes = Array(FileManager.default.contents(atPath: list) ?? Data())
        let key = KeyVectors.key("ed25519")
        let other = KeyVectors.key("ed25519-other")
        #expect(try HostKeyRevocation.contains(key, list: bytes))
        #expect(try !HostKeyRevocation.contains(other, list: bytes))
        for length in 8..<bytes.count {
            let cut = Array(bytes.prefix(length))
            #expect((try? HostKeyRevocation.contains(key, list: cut)) != true, "\(length)")
        }
    }

    @Test(
        "Base64 is read as OpenSSH reads it",
        arguments: [
            ("", []), ("TQ==", [77]), ("TWE=", [77, 97]), ("TWFu", [77, 97, 110]),
            ("TQ", nil), ("TWE", nil), ("T", nil), ("TR==", nil), ("TWFu=", nil), ("TQ=", nil),
            ("TQ==TQ==", nil), ("T!==", nil), (" T W\tFu\r", [77, 97, 110]), ("TWF=", nil),
        ] as [(String, [UInt8]?)]
    )
    func base64(text: String, bytes: [UInt8]?) {
        #expect(Base64.decode(text.utf8) == bytes)
        if let bytes {
            #expect(Base64.decode(Base64.encodedBytes(bytes)) == bytes)
        }
    }
}
