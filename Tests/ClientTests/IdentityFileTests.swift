import Faults
import Foundation
import Posix
import SSH
import Testing

@testable import Client

/// A directory with key files, and what was said about them.
private final class Desk {
    let path = NSTemporaryDirectory() + "ec2sh-identity-\(UUID().uuidString)"
    private(set) var said: [String] = []
    var lines: [String] { said.map { $0.replacingOccurrences(of: path, with: "D") } }

    init() {
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func put(_ name: String, _ vector: String, mode: Int = 0o600) -> String {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Vectors/keys/\(vector)").path
        let file = "\(path)/\(name)"
        _ = FileManager.default.createFile(
            atPath: file,
            contents: FileManager.default.contents(atPath: source),
            attributes: [.posixPermissions: mode]
        )
        return file
    }

    func load(
        _ path: String,
        isEC2: Bool = true,
        fixes: Bool = true,
        isUserProvided: Bool = true
    ) -> IdentityFile.Loaded {
        let trace = Trace(level: .info) { [unowned self] in said.append($0) }
        return IdentityFile(isEC2: isEC2, fixesPermissions: fixes, trace: trace)
            .load(path, isUserProvided: isUserProvided)
    }
}

private func isKey(_ loaded: IdentityFile.Loaded) -> Bool {
    if case .key = loaded { true } else { false }
}

private let block = [
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
    "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @",
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
    "Permissions 0644 for 'D/key' are too open.",
    "It is required that your private key files are NOT accessible by others.",
    "This private key will be ignored.",
    "Load key \"D/key\": bad permissions",
]

struct IdentityFileTests {
    @Test(
        "A key for an instance is closed with one line, and used",
        arguments: [
            (0o644, "0644"), (0o640, "0640"), (0o777, "0777"), (0o444, "0444"), (0o604, "0604"),
        ]
    )
    func closed(mode: Int, text: String) throws {
        let desk = Desk()
        let path = desk.put("key", "ed25519", mode: mode)
        #expect(isKey(desk.load(path)))
        #expect(desk.lines == ["ec2sh: D/key was readable by others (\(text)); set to 0600"])
        #expect(try fileFacts(path: path).mode == 0o600)
        #expect(isKey(desk.load(path)))
        #expect(desk.lines.count == 1)
    }

    @Test("A closed key is left as it is", arguments: [0o600, 0o400])
    func left(mode: Int) throws {
        let desk = Desk()
        let path = desk.put("key", "ed25519", mode: mode)
        #expect(isKey(desk.load(path)))
        #expect(isKey(desk.load(path, isEC2: false)))
        #expect(desk.lines.isEmpty)
        #expect(try fileFacts(path: path).mode == UInt32(mode))
    }

    @Test(
        "Otherwise an open key is ignored in OpenSSH's words, and not touched",
        arguments: [
            (false, true), (true, false), (false, false),
        ]
    )
    func ignored(isEC2: Bool, fixes: Bool) throws {
        let desk = Desk()
        let path = desk.put("key", "ed25519", mode: 0o644)
        #expect(!isKey(desk.load(path, isEC2: isEC2, fixes: fixes)))
        #expect(desk.lines == block)
        #expect(try fileFacts(path: path).mode == 0o644)
    }

    @Test("The file behind a link is closed, the link stays")
    func link() throws {
        let desk = Desk()
        let path = desk.put("real", "ed25519", mode: 0o644)
        let link = "\(desk.path)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(isKey(desk.load(link)))
        #expect(desk.lines == ["ec2sh: D/link was readable by others (0644); set to 0600"])
        #expect(try fileFacts(path: path).mode == 0o600)
        #expect(try fileFacts(path: link, followingLinks: false).kind == .symbolicLink)
    }

    @Test("A key that belongs to somebody else is used as OpenSSH does, with a word on EC2")
    func foreign() throws {
        // Only root can give a file away.
        guard User.currentID == 0 else { return }
        let desk = Desk()
        let path = desk.put("key", "ed25519", mode: 0o644)
        try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: path)
        #expect(isKey(desk.load(path, isEC2: false)))
        #expect(desk.lines.isEmpty)
        #expect(isKey(desk.load(path)))
        #expect(
            desk.lines == [
                "ec2sh: D/key belongs to somebody else and is readable by others (0644); used as it is"
            ]
        )
        #expect(try fileFacts(path: path).mode == 0o644)
    }

    @Test("A file that is not there is worth a word if the user named it")
    func missing() {
        let desk = Desk()
        #expect(!isKey(desk.load("\(desk.path)/none")))
        #expect(!isKey(desk.load("\(desk.path)/none", isUserProvided: false)))
        #expect(desk.lines == ["no such identity: D/none: No such file or directory"])
    }

    @Test("A directory, and what is no key, is said so")
    func others() {
        let desk = Desk()
        let path = desk.put("key.pub", "ed25519.pub")
        #expect(!isKey(desk.load(desk.path)))
        #expect(!isKey(desk.load(path)))
        #expect(
            desk.lines == [
                "Load key \"D\": Is a directory",
                "Load key \"D/key.pub\": error in libcrypto",
                "ec2sh: D/key.pub is a public key; use the private key, D/key",
            ]
        )
    }

    @Test(
        "Keys of every form open with their passphrase",
        arguments: [
            ("ed25519", false), ("ed25519-encrypted", true), ("rsa-pkcs1-encrypted", true),
            ("rsa-v2-encrypted.ppk", true), ("ecdsa384-v3-encrypted.ppk", true),
            ("rsa-v3.ppk", false),
        ]
    )
    func opened(vector: String, isEncrypted: Bool) throws {
        let desk = Desk()
        guard case .key(let file) = desk.load(desk.put("key", vector)) else {
            Issue.record("no key")
            return
        }
        #expect(file.isEncrypted == isEncrypted)
        if isEncrypted {
            for wrong in [nil, "", "wrong"] {
                let fault = #expect(throws: KeyFileFault.self) {
                    try PrivateKey(file, passphrase: wrong)
                }
                #expect(fault?.problem == .wrongPassphrase)
            }
        }
        _ = try PrivateKey(file, passphrase: isEncrypted ? "throw away" : nil)
    }
}
