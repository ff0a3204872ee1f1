import Foundation
import TestSupport
import Testing

@testable import SSH

/// Bytes that only look like keys and agents' messages.
struct KeyFuzzTests {
    /// Changes, cuts and lengthens something that is right.
    private func mutate(_ bytes: [UInt8], _ generator: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(index...)
            case 2: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff], at: index)
            default: bytes.remove(at: index)
            }
        }
        return bytes
    }

    private var key: [UInt8] {
        var writer = WireWriter()
        writer.string(Array("ssh-ed25519".utf8))
        writer.string([UInt8](repeating: 7, count: 32))
        return writer.bytes
    }

    @Test func damagedKeysAreNoKeysOrWhole() {
        var generator = Seeded(1)
        for round in 0..<3_000 {
            let bytes = mutate(key, &generator)
            if let read = UserKey(blob: bytes) {
                #expect(read.blob == bytes, "seed 1, round \(round)")
            }
        }
    }

    @Test func damagedMessagesOfAgentsAreReadOrNot() {
        var generator = Seeded(2)
        let identities = AgentReply.identities([AgentIdentity(blob: key, comment: "a comment")])
        let request = AgentRequest.sign(blob: key, data: key, flags: .rsaSHA512)
        #expect(AgentReply(body: Array(identities.frame.dropFirst(4))) == identities)
        #expect(AgentRequest(body: Array(request.frame.dropFirst(4))) == request)
        for _ in 0..<3_000 {
            _ = AgentReply(body: mutate(Array(identities.frame.dropFirst(4)), &generator))
            _ = AgentRequest(body: mutate(Array(request.frame.dropFirst(4)), &generator))
            _ = SignatureRequest(data: mutate(key, &generator))
        }
    }

    @Test func aCountThatIsALieEndsAtOnce() {
        #expect(AgentReply(body: [12, 0xff, 0xff, 0xff, 0xff]) == nil)
        #expect(AgentReply(body: []) == nil)
        #expect(AgentRequest(body: []) == nil)
    }

    @Test func damagedFilesOfPrivateKeysTellWhatTheyCan() {
        var generator = Seeded(3)
        var container = WireWriter()
        container.raw(Array("openssh-key-v1\0".utf8))
        for text in ["none", "none", ""] { container.string(Array(text.utf8)) }
        container.number(1)
        container.string(key)
        container.string([UInt8](repeating: 1, count: 64))
        for _ in 0..<1_000 {
            let body = Base64.encode(mutate(container.bytes, &generator))
            let text = """
                -----BEGIN OPENSSH PRIVATE KEY-----
                \(body)
                -----END OPENSSH PRIVATE KEY-----

                """
            _ = PrivateKeyText(mutate(Array(text.utf8), &generator))
            _ = PrivateKeyText(Array(text.utf8))
        }
    }
}
