/// What the text of a private key file tells without its passphrase.
///
/// libssh says only that it could not read a key; whether to ask for a passphrase, and which key is
/// inside, is read here.
struct PrivateKeyText {
    /// Whether there is a passphrase on it.
    let isEncrypted: Bool
    /// The public key, which OpenSSH's own format has in the clear.
    let publicKey: UserKey?
    /// An Ed25519 key in PKCS#8: libssh reads it but cannot sign with it, and OpenSSH refuses it.
    let isEd25519InPKCS8: Bool

    /// The key's kind and fields, when OpenSSH's own format has them in the clear: a secret.
    let privateFields: [UInt8]?

    /// Looks at a file's contents.
    init(_ text: [UInt8]) {
        let lines = text.split { $0 == 0x0a || $0 == 0x0d }
        let label = lines.first { $0.starts(with: "-----BEGIN ".utf8) }.map { Array($0) } ?? []
        switch label {
        case Array("-----BEGIN OPENSSH PRIVATE KEY-----".utf8):
            let container = OpenSSHContainer(PrivateKeyText.body(lines))
            isEncrypted = container.map { $0.cipher != "none" } ?? false
            publicKey = container?.publicKey
            privateFields = container?.privateFields
            isEd25519InPKCS8 = false
        case Array("-----BEGIN ENCRYPTED PRIVATE KEY-----".utf8):
            isEncrypted = true
            publicKey = nil
            privateFields = nil
            isEd25519InPKCS8 = false
        case Array("-----BEGIN PRIVATE KEY-----".utf8):
            isEncrypted = false
            publicKey = nil
            privateFields = nil
            let body = Base64.decode(PrivateKeyText.body(lines)) ?? []
            isEd25519InPKCS8 = body.prefix(12).suffix(7).elementsEqual(ed25519Identifier)
        default:
            isEncrypted = lines.contains { $0.starts(with: "Proc-Type: 4,ENCRYPTED".utf8) }
            publicKey = nil
            privateFields = nil
            isEd25519InPKCS8 = false
        }
    }

    /// The base64 between the first pair of marks.
    private static func body(_ lines: [ArraySlice<UInt8>]) -> [UInt8] {
        let mark = "-----".utf8
        let afterBegin = lines.drop { !$0.starts(with: mark) }.dropFirst()
        return Array(afterBegin.prefix { !$0.starts(with: mark) }.joined())
    }
}

/// The outer layer of OpenSSH's private key format (PROTOCOL.key §1).
///
/// ```
/// "openssh-key-v1" 0 | string cipher | string kdf | string kdf options | uint32 keys
///                    | string public key | string private part, encrypted
/// ```
private struct OpenSSHContainer {
    let cipher: String
    let publicKey: UserKey?
    let privateFields: [UInt8]?

    init?(_ base64: [UInt8]) {
        guard let bytes = Base64.decode(base64) else { return nil }
        let magic = Array("openssh-key-v1\0".utf8)
        guard bytes.starts(with: magic) else { return nil }
        var reader = WireReader(bytes.dropFirst(magic.count))
        guard let cipher = reader.text(), reader.string() != nil, reader.string() != nil,
            reader.number() == 1, let blob = reader.string()
        else { return nil }
        self.cipher = cipher
        publicKey = UserKey(blob: blob)
        var part = WireReader(reader.string() ?? [])
        let isOpen = cipher == "none" && part.number() == part.number()
        privateFields = isOpen ? Array(part.remaining) : nil
    }
}

/// `SEQUENCE { OBJECT 1.3.101.112 }` in DER, as PKCS#8 names Ed25519 (RFC 8410 §3).
private let ed25519Identifier: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70]
