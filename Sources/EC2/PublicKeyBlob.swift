internal import Crypto

/// A public key in SSH's own encoding (RFC 4253 §6.6), known to be whole.
///
/// Only kinds that hosts and key pairs of EC2 have: RSA, ECDSA and Ed25519.
struct PublicKeyBlob: Hashable, Sendable {
    /// The bytes.
    let bytes: [UInt8]
    /// The name in front, such as `ssh-ed25519`.
    let algorithm: String
    /// What follows the name.
    private let fields: [ArraySlice<UInt8>]

    /// Takes bytes apart.
    /// - Parameter bytes: nil comes of anything but one whole key.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= PublicKeyBlob.mostBytes, var fields = strings(in: bytes),
            let name = fields.first
        else { return nil }
        fields.removeFirst()
        let algorithm = String(decoding: name, as: UTF8.self)
        let lengths = fields.map(\.count)
        switch algorithm {
        case "ssh-ed25519":
            guard lengths == [32] else { return nil }
        case "ssh-rsa":
            guard lengths.count == 2, lengths[1] >= 128,
                fields.allSatisfy({ $0.first ?? 0x80 < 0x80 })
            else { return nil }
        case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
            let curve = algorithm.dropFirst("ecdsa-sha2-".count)
            let size = ["nistp256": 65, "nistp384": 97, "nistp521": 133][curve]
            guard lengths.count == 2, lengths[1] == size, fields[0].elementsEqual(curve.utf8) else {
                return nil
            }
        default:
            return nil
        }
        self.bytes = bytes
        self.algorithm = algorithm
        self.fields = fields
    }

    /// Reads the two first words of a line of `authorized_keys` or of a `.pub` file.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let bytes = base64Bytes(words[1]), let blob = PublicKeyBlob(bytes),
            blob.algorithm == words[0]
        else { return nil }
        self = blob
    }

    /// What ssh-keygen puts in brackets, such as `ED25519`.
    var shortName: String {
        switch algorithm {
        case "ssh-ed25519": "ED25519"
        case "ssh-rsa": "RSA"
        default: "ECDSA"
        }
    }

    /// `SHA256:` and base64 without padding.
    var sha256: String { "SHA256:" + unpaddedBase64(SHA256.hash(data: bytes)) }
    /// `MD5:` and pairs of digits.
    var md5: String { "MD5:" + colonDigits(Insecure.MD5.hash(data: bytes)) }

    /// An RSA key as SubjectPublicKeyInfo in DER (RFC 5280 §4.1, RFC 8017 §A.1.1).
    var rsaInfo: [UInt8]? {
        guard algorithm == "ssh-rsa" else { return nil }
        let key = DER.sequence(DER.element(0x02, fields[1]) + DER.element(0x02, fields[0]))
        return DER.sequence(DER.rsaAlgorithm + DER.element(0x03, [0] + key))
    }

    /// OpenSSH takes no RSA key above 16,384 bits.
    private static let mostBytes = 4096
}

/// The least of ASN.1's binary form that fingerprints need (X.690 §8.1).
enum DER {
    static func element(_ tag: UInt8, _ contents: some Collection<UInt8>) -> [UInt8] {
        let count = contents.count
        var length: [UInt8] = []
        var rest = count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        let head = count < 0x80 ? [UInt8(count)] : [0x80 | UInt8(length.count)] + length
        return [tag] + head + contents
    }

    static func sequence(_ contents: some Collection<UInt8>) -> [UInt8] { element(0x30, contents) }

    /// AlgorithmIdentifier of rsaEncryption, 1.2.840.113549.1.1.1, with NULL.
    static let rsaAlgorithm = sequence(
        element(0x06, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) + [0x05, 0x00]
    )
}

/// Strings of RFC 4251 §5 up to the very end; nil when one is cut off.
private func strings(in bytes: [UInt8]) -> [ArraySlice<UInt8>]? {
    var strings: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let head = rest.prefix(4)
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        guard head.count == 4, length <= rest.count else { return nil }
        strings.append(rest.prefix(length))
        rest = rest.dropFirst(length)
    }
    return strings
}
