/// OpenSSH's own format of private keys, as far as we write and look at it.
///
/// PROTOCOL.key:
///
///     "openssh-key-v1" 0
///     string cipher | string kdf | string kdf options | uint32 number of keys
///     string public key
///     string private part: uint32 check, the same check, key, comment, padding 1 2 3 …
enum OpenSSHPrivateKey {
    /// The label of its PEM.
    static let label = "OPENSSH PRIVATE KEY"

    /// Whether a key has a passphrase.
    /// - Parameter bytes: what the base64 holds.
    /// - Returns: false as well for what is no such key.
    static func isEncrypted(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: magic) else { return false }
        var reader = WireReader(bytes.dropFirst(magic.count))
        return reader.text() != "none"
    }

    /// Whether the outer layer is all there.
    /// - Parameter bytes: what the base64 holds.
    /// - Returns: false for what is cut off or no such key.
    static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: magic) else { return false }
        var reader = WireReader(bytes.dropFirst(magic.count))
        for _ in 0..<3 where reader.string() == nil { return false }
        return reader.number() == 1 && reader.string() != nil && reader.string() != nil
    }

    /// The public half, which is never encrypted.
    /// - Parameter bytes: what the base64 holds.
    /// - Returns: nil for what is cut off or no such key.
    static func publicKey(_ bytes: [UInt8]) -> HostKey? {
        guard bytes.starts(with: magic) else { return nil }
        var reader = WireReader(bytes.dropFirst(magic.count))
        for _ in 0..<3 where reader.string() == nil { return nil }
        guard reader.number() == 1 else { return nil }
        return reader.string().flatMap { HostKey(blob: $0) }
    }

    /// Writes a key without a passphrase, for memory alone.
    /// - Parameters:
    ///   - publicKey: in SSH's encoding.
    ///   - privateFields: the kind's name and its fields, in SSH's encoding.
    ///   - comment: behind the fields.
    /// - Returns: PEM.
    static func text(publicKey: [UInt8], privateFields: [UInt8], comment: [UInt8]) -> [UInt8] {
        var inner = WireWriter()
        // The check tells a right passphrase from a wrong one; without one any number will do.
        inner.number(0)
        inner.number(0)
        inner.raw(privateFields)
        inner.string(comment)
        var padding: UInt8 = 0
        while inner.bytes.count % blockSize != 0 {
            padding += 1
            inner.raw([padding])
        }
        var outer = WireWriter()
        outer.raw(magic)
        outer.string(Array("none".utf8))
        outer.string(Array("none".utf8))
        outer.string([])
        outer.number(1)
        outer.string(publicKey)
        outer.string(inner.bytes)
        return PEMText(label: label, headers: [], body: Base64.encodedBytes(outer.bytes)).text
    }

    private static let magic = Array("openssh-key-v1\0".utf8)
    /// That of the cipher `none`.
    private static let blockSize = 8
}
