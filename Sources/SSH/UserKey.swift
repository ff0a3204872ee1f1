/// A public key or certificate that a user logs in with: the bytes, and what they say.
public struct UserKey: Sendable, Hashable {
    /// What kind of certificate.
    public enum Certificate: Sendable, Hashable {
        /// For users.
        case user
        /// For hosts, and so of no use here.
        case host
    }

    /// The key or certificate in SSH's encoding (RFC 4253 §6.6).
    public let blob: [UInt8]
    /// The name inside the bytes, such as `ssh-rsa` or `ssh-rsa-cert-v01@openssh.com`.
    public let algorithm: String
    /// The key alone: that of the certificate, else the key itself.
    public let plain: HostKey
    /// Nil for a key that is no certificate.
    public let certificate: Certificate?

    /// Takes a key or certificate apart; nil when it is neither, or of a kind we do not know.
    ///
    /// C: `sshkey_from_blob`.
    /// - Parameter blob: the key in SSH's encoding.
    public init?(blob: some Sequence<UInt8>) {
        self.blob = Array(blob)
        var reader = WireReader(self.blob)
        guard let name = reader.text() else { return nil }
        algorithm = name
        guard let plainName = HostKeyKind.plainAlgorithm(ofCertificate: name) else {
            guard let key = HostKey(blob: self.blob), key.kind != .other else { return nil }
            plain = key
            certificate = nil
            return
        }
        guard let key = UserKey.plainKey(plainName, &reader),
            let kind = UserKey.certificateKind(&reader)
        else { return nil }
        plain = key
        certificate = kind
    }

    /// Reads the first line of a `.pub` file that holds a key; nil when there is none.
    /// - Parameter text: the file's contents.
    public init?(publicKeyFile text: [UInt8]) {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
            guard words.count >= 2, let first = words.first, first.first != UInt8(ascii: "#"),
                let blob = Base64.decode(words[1]), let key = UserKey(blob: blob),
                key.algorithm.utf8.elementsEqual(first)
            else { continue }
            self = key
            return
        }
        return nil
    }

    /// Reads the public key that a private key in OpenSSH's own format shows; nil for others.
    /// - Parameter text: the file's contents, which may be encrypted.
    public init?(privateKeyFile text: [UInt8]) {
        guard let key = PrivateKeyText(text).publicKey else { return nil }
        self = key
    }

    /// As OpenSSH's messages name the kind, such as `ED25519` or `RSA-CERT`.
    public var shortName: String {
        certificate == nil ? plain.shortName : plain.shortName + "-CERT"
    }
    /// Whether signing needs a security key.
    public var isOnSecurityKey: Bool { plain.kind == .ecdsaSK || plain.kind == .ed25519SK }
    /// The size in bits when the key is RSA, which RequiredRSASize is about.
    public var rsaBits: Int? { plain.kind == .rsa ? plain.bits : nil }

    /// The plain key of a certificate: the fields after the nonce (PROTOCOL.certkeys §2).
    private static func plainKey(_ name: String, _ reader: inout WireReader) -> HostKey? {
        guard reader.string() != nil else { return nil }
        let fields =
            switch HostKeyKind(algorithm: name) {
            case .ed25519: 1
            case .rsa, .ecdsa, .ed25519SK: 2
            case .ecdsaSK: 3
            default: 0
            }
        guard fields > 0 else { return nil }
        var writer = WireWriter()
        writer.string(Array(name.utf8))
        for _ in 0..<fields {
            guard let field = reader.string() else { return nil }
            writer.string(field)
        }
        return HostKey(blob: writer.bytes)
    }

    /// The serial number and the type follow the key.
    private static func certificateKind(_ reader: inout WireReader) -> Certificate? {
        guard reader.take(8) != nil, let type = reader.number() else { return nil }
        switch type {
        case 1: return .user
        case 2: return .host
        default: return nil
        }
    }
}
