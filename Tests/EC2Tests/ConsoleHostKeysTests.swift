import Foundation
import TestSupport
import Testing

@testable import EC2

/// Keys made by ssh-keygen for these tests.
private let ed25519 = KeyVector.hostEd25519
private let rsa = KeyVector.hostRSA
private let ecdsa = KeyVector.hostECDSA

private func console(_ text: String) -> ConsoleHostKeys {
    ConsoleHostKeys(output: Array(text.utf8))
}

private let prefixes = [
    "", "<14>Apr  9 22:06:30 ec2: ", "ec2: ", "<14>Nov 20 10:00:00 cloud-init: ",
    "[   27.512345] cloud-init[1727]: ", "2026-11-20T10:00:00 ip-10-0-0-7 cloud-init[9]: ",
]

struct ConsoleHostKeysTests {
    @Test("Whole keys between their marks prove the key a server shows", arguments: prefixes)
    func keys(prefix: String) {
        let lines = [
            "-----BEGIN SSH HOST KEY KEYS-----", ecdsa.line, ed25519.line, rsa.line,
            "-----END SSH HOST KEY KEYS-----",
        ]
        let keys = console(lines.map { prefix + $0 + "\r\n" }.joined())
        #expect(keys.keys == [ecdsa.blob, ed25519.blob, rsa.blob])
        for vector in [ecdsa, ed25519, rsa] { #expect(keys.judge(vector.blob) == .proven) }
        #expect(keys.judge(KeyVector.otherEd25519.blob) == .contradicted)
    }

    @Test("Fingerprints between their marks prove it too, by either hash", arguments: prefixes)
    func fingerprints(prefix: String) {
        for (print, verdict) in [
            ("256 \(ed25519.sha256) root@ip-10-0-0-7 (ED25519)", .proven),
            ("256 \(ed25519.md5) /etc/ssh/ssh_host_ed25519_key.pub (ED25519)", .proven),
            ("256 MD5:\(ed25519.md5) no comment (ED25519)", .proven),
            ("256 \(KeyVector.otherEd25519.sha256) root@ip-10-0-0-7 (ED25519)", .contradicted),
            ("256 \(ed25519.sha256) root@ip-10-0-0-7 (RSA)", .silent),
            ("256 \(ed25519.sha256.dropLast()) root@ip-10-0-0-7 (ED25519)", .silent),
        ] as [(String, ConsoleHostKeys.Verdict)] {
            let text = """
                \(prefix)#############################################################
                \(prefix)-----BEGIN SSH HOST KEY FINGERPRINTS-----
                \(prefix)\(print)
                \(prefix)-----END SSH HOST KEY FINGERPRINTS-----
                """
            #expect(console(text).judge(ed25519.blob) == verdict, "\(print)")
        }
    }

    @Test("What ssh-keygen says of the keys it makes counts, with the kind from the file's name")
    func keygen() {
        let text = """
            Generating public/private ed25519 key pair.
            Your identification has been saved in /etc/ssh/ssh_host_ed25519_key
            Your public key has been saved in /etc/ssh/ssh_host_ed25519_key.pub
            The key fingerprint is:
            \(ed25519.sha256) root@ip-10-0-0-7
            The key's randomart image is:
            +--[ED25519 256]--+
            """
        #expect(console(text).judge(ed25519.blob) == .proven)
        #expect(console(text).judge(KeyVector.otherEd25519.blob) == .contradicted)
        #expect(console(text).judge(rsa.blob) == .silent)
    }

    @Test("The fingerprints above a login prompt count")
    func prompt() {
        let text = "This is Flatcar\nSSH host key: \(ed25519.sha256) (ED25519)\neth0: 10.0.0.7"
        #expect(console(text).judge(ed25519.blob) == .proven)
    }

    @Test(
        "Lines of others in between do no harm, torn lines are left out",
        arguments: [
            ("[   30.1] random: crng init done\n", true), ("\u{1b}[0;32m  OK  \u{1b}[0m\n", true),
            ("ssh-ed25519 AAAA\n", true), ("ssh-ed25519\n", true), ("\0\0\n\n", true),
        ]
    )
    func noise(noise: String, isProven: Bool) {
        let lines = [
            "-----BEGIN SSH HOST KEY KEYS-----", ecdsa.line, ed25519.line,
            "-----END SSH HOST KEY KEYS-----",
        ]
        let text = lines.map { noise + $0 + "\n" }.joined()
        #expect((console(text).judge(ed25519.blob) == .proven) == isProven)
        #expect(console(text).keys.count == 2)
        let torn = text.replacingOccurrences(of: "AAAAC3", with: "AAAAC3[  30.2] usb 1-1: new\n")
        #expect(console(torn).judge(ed25519.blob) == .silent)
    }

    @Test("Keys outside the marks, or in what another program says, prove nothing")
    func outside() {
        let block = [
            "-----BEGIN SSH HOST KEY KEYS-----", ed25519.line, "-----END SSH HOST KEY KEYS-----",
        ]
        #expect(console(ed25519.line).judge(ed25519.blob) == .silent)
        let quoted = block.map { "sshd[77]: Invalid user cloud-init: \($0)" }
        #expect(console(quoted.joined(separator: "\n")).judge(ed25519.blob) == .silent)
        let closed = block[0] + "\n" + block[2] + "\n" + block[1]
        #expect(console(closed).judge(ed25519.blob) == .silent)
        let late = block[0] + String(repeating: "\nx", count: 600) + "\n" + block[1]
        #expect(console(late).judge(ed25519.blob) == .silent)
    }

    @Test("Of two blocks both count, since an instance may have made its keys again")
    func twice() {
        let blocks = [KeyVector.otherEd25519, ed25519].map {
            "-----BEGIN SSH HOST KEY KEYS-----\n\($0.line)\n-----END SSH HOST KEY KEYS-----\n"
        }
        let keys = console(blocks.joined())
        #expect(keys.judge(ed25519.blob) == .proven)
        #expect(keys.judge(KeyVector.otherEd25519.blob) == .proven)
    }

    @Test("Nothing printed says nothing")
    func nothing() {
        #expect(console("").isEmpty)
        #expect(console("Linux version 6.1\n").judge(ed25519.blob) == .silent)
        #expect(console("").judge([]) == .silent)
    }

    @Test("Whatever a console holds, reading ends and proves only keys that are in it")
    func fuzz() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(seed)
        let whole = Array(
            ("<14>x ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----\n<14>x ec2: 256 "
                + "\(ed25519.sha256) a (ED25519)\n-----END SSH HOST KEY FINGERPRINTS-----\n"
                + "-----BEGIN SSH HOST KEY KEYS-----\n\(rsa.line)\n\(ecdsa.line)\n"
                + "-----END SSH HOST KEY KEYS-----\n").utf8
        )
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            var bytes = whole
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 2: bytes.remove(at: place)
                default: bytes.removeSubrange(place..<min(place + 40, bytes.count))
                }
            }
            let keys = ConsoleHostKeys(output: bytes)
            #expect(keys.judge(KeyVector.otherEd25519.blob) != .proven, "seed \(seed)")
            #expect(keys.keys.allSatisfy { PublicKeyBlob($0) != nil }, "seed \(seed)")
        }
    }
}
