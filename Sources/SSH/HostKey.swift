/// A public key as a server shows it: the bytes, and what they say.
///
/// A key of a kind we have never heard of is kept with its bytes, so that it can still be compared.
public struct HostKey: Sendable, Hashable {
    /// The key in SSH's encoding (RFC 4253 §6.6); two keys are one when these are equal.
    public let blob: [UInt8]
    /// What kind of key it is.
    public let kind: HostKeyKind
    /// The name inside the bytes, such as `ssh-ed25519`.
    public let algorithm: String
    /// The size in bits, 0 for a key of an unknown kind.
    public let bits: Int

    /// Takes a key apart; nil when the bytes are no key, or not one of the kind they name.
    ///
    /// C: `sshkey_from_blob`.
    /// - Parameter blob: the key in SSH's encoding.
    public init?(blob: some Sequence<UInt8>) {
        self.blob = Array(blob)
        var reader = WireReader(self.blob)
        guard let name = reader.string(), !name.isEmpty, name.allSatisfy(isNameCharacter) else {
            return nil
        }
        algorithm = String(decoding: name, as: UTF8.self)
        kind = HostKeyKind(algorithm: algorithm)
        guard let bits = HostKey.measure(kind, &reader) else { return nil }
        self.bits = bits
    }

    /// The name OpenSSH's messages use, such as `ED25519`.
    public var shortName: String { kind.shortName }
    /// The bytes in base64, as they stand in files.
    public var base64: String { Base64.encode(blob) }
    /// The key as it stands in files, without names before or a comment behind it.
    public var line: String { "\(algorithm) \(base64)" }

    /// Reads what follows the name.
    /// - Returns: the size in bits; nil when the bytes do not fit the kind.
    private static func measure(_ kind: HostKeyKind, _ reader: inout WireReader) -> Int? {
        let bits: Int?
        switch kind {
        case .rsa:
            let exponent = reader.integer()
            bits = exponent == nil ? nil : reader.integer().map(bitCount)
            guard let bits, bits >= leastRSABits else { return nil }
        case .dsa:
            bits = reader.integer().map(bitCount)
            for _ in 0..<3 where reader.integer() == nil { return nil }
        case .ed25519, .ed25519SK:
            bits = reader.string().flatMap { $0.count == 32 ? 256 : nil }
        case .ecdsa(let curve):
            bits = point(on: curve, &reader)
        case .ecdsaSK:
            bits = point(on: .p256, &reader)
        case .certificate, .other:
            return 0
        }
        if kind == .ed25519SK || kind == .ecdsaSK, reader.string() == nil { return nil }
        return reader.isAtEnd ? bits : nil
    }

    private static func point(on curve: HostKeyKind.Curve, _ reader: inout WireReader) -> Int? {
        guard reader.text() == curve.rawValue, let point = reader.string(),
            point.first == 4, point.count == 1 + 2 * ((curve.bits + 7) / 8)
        else { return nil }
        return curve.bits
    }

    private static func bitCount(_ digits: ArraySlice<UInt8>) -> Int {
        digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
    }

    /// OpenSSH takes no smaller key (SSH_RSA_MINIMUM_MODULUS_SIZE in sshkey.h).
    private static let leastRSABits = 1024
}

/// What kind of public key: what OpenSSH calls the type, and the curve where there are several.
public enum HostKeyKind: Sendable, Hashable {
    /// RSA, whatever the hash of its signatures.
    case rsa
    /// DSA, which no server of today has.
    case dsa
    /// ECDSA on one of three curves.
    case ecdsa(Curve)
    /// Ed25519.
    case ed25519
    /// ECDSA on a security key.
    case ecdsaSK
    /// Ed25519 on a security key.
    case ed25519SK
    /// A certificate for a key of the named short name, such as `RSA`.
    case certificate(String)
    /// A kind we do not know.
    case other

    /// The curves of RFC 5656, by the names inside keys.
    public enum Curve: String, Sendable, CaseIterable {
        /// 256 bits.
        case p256 = "nistp256"
        /// 384 bits.
        case p384 = "nistp384"
        /// 521 bits.
        case p521 = "nistp521"

        var bits: Int {
            switch self {
            case .p256: 256
            case .p384: 384
            case .p521: 521
            }
        }
    }

    /// Finds the kind behind the name of a key or of a signature algorithm.
    ///
    /// C: `sshkey_type_from_name`.
    /// - Parameter algorithm: such as `rsa-sha2-512` or `ssh-ed25519-cert-v01@openssh.com`.
    public init(algorithm: String) {
        if let plain = HostKeyKind.plainAlgorithm(ofCertificate: algorithm) {
            self = .certificate(HostKeyKind(algorithm: plain).shortName)
        } else {
            self = HostKeyKind.table.first { $0.name == algorithm }?.kind ?? .other
        }
    }

    /// The name OpenSSH's messages use.
    ///
    /// C: `sshkey_type`.
    public var shortName: String {
        switch self {
        case .rsa: "RSA"
        case .dsa: "DSA"
        case .ecdsa: "ECDSA"
        case .ed25519: "ED25519"
        case .ecdsaSK: "ECDSA-SK"
        case .ed25519SK: "ED25519-SK"
        case .certificate(let plain): "\(plain)-CERT"
        case .other: "unknown"
        }
    }

    /// The algorithm a certificate's algorithm stands on.
    /// - Parameter algorithm: any algorithm's name.
    /// - Returns: nil when it is not one of certificates, or of a kind we do not know.
    static func plainAlgorithm(ofCertificate algorithm: String) -> String? {
        guard algorithm.hasSuffix(certificateSuffix) else { return nil }
        let stem = String(algorithm.dropLast(certificateSuffix.count))
        return table.first { $0.name == stem || $0.name == "\(stem)@openssh.com" }?.name
    }

    private static let certificateSuffix = "-cert-v01@openssh.com"
    /// The names of plain keys and of their signatures (sshkey.c, ssh-*.c).
    private static let table: [(name: String, kind: HostKeyKind)] = [
        ("ssh-ed25519", .ed25519),
        ("ecdsa-sha2-nistp256", .ecdsa(.p256)),
        ("ecdsa-sha2-nistp384", .ecdsa(.p384)),
        ("ecdsa-sha2-nistp521", .ecdsa(.p521)),
        ("ssh-rsa", .rsa),
        ("rsa-sha2-256", .rsa),
        ("rsa-sha2-512", .rsa),
        ("ssh-dss", .dsa),
        ("sk-ssh-ed25519@openssh.com", .ed25519SK),
        ("sk-ecdsa-sha2-nistp256@openssh.com", .ecdsaSK),
        ("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", .ecdsaSK),
    ]
}

/// What names of algorithms are made of (RFC 4251 §6): printable, no blank, no comma.
private func isNameCharacter(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ",")
}
