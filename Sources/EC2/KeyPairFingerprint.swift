internal import Crypto

/// The fingerprint of a key pair as AWS gives it, in one of three forms.
///
/// See "How fingerprints are calculated" in the EC2 user guide.
public enum KeyPairFingerprint: Sendable, Hashable {
    /// SHA-1 of the private key as PKCS#8 in DER: an RSA key that AWS has made.
    case privateSHA1([UInt8])
    /// MD5 of the public key as SubjectPublicKeyInfo in DER: an RSA key that was imported.
    case publicMD5([UInt8])
    /// SHA-256 of the public key in SSH's encoding: an Ed25519 key.
    case sha256([UInt8])

    /// Tells the form by the text.
    /// - Parameter text: 20 or 16 pairs of digits with colons, or base64.
    public init?(_ text: String) {
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = pairs.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        switch (pairs.count, bytes.count) {
        case (20, 20): self = .privateSHA1(bytes)
        case (16, 16): self = .publicMD5(bytes)
        default:
            var digits = text.hasPrefix("SHA256:") ? text.dropFirst("SHA256:".count) : text[...]
            if digits.utf8.count == 43 { digits += "=" }
            guard let hash = base64Bytes(digits), hash.count == 32 else { return nil }
            self = .sha256(hash)
        }
    }

    /// Whether a key is the one of the pair.
    /// - Parameter key: all forms of the key that the caller has.
    /// - Returns: nil when the form that the fingerprint needs is not among them.
    public func matches(_ key: KeyMaterial) -> Bool? {
        switch self {
        case .privateSHA1(let hash):
            if let own = key.privateSHA1 { return hash == own }
            // No other kind of key has a fingerprint of this form.
            let isOther = key.blob.flatMap(PublicKeyBlob.init).map { $0.algorithm != "ssh-rsa" }
            return isOther == true ? false : nil
        case .publicMD5(let hash):
            guard let blob = key.blob else { return nil }
            guard let info = PublicKeyBlob(blob)?.rsaInfo else { return false }
            return hash.elementsEqual(Insecure.MD5.hash(data: info))
        case .sha256(let hash):
            return key.blob.map { hash.elementsEqual(SHA256.hash(data: $0)) }
        }
    }
}

/// A key in the forms that fingerprints are made of.
public struct KeyMaterial: Sendable {
    /// The public key in SSH's encoding.
    public var blob: [UInt8]?
    /// SHA-1 of the private key as PKCS#8 in DER, unencrypted; nil for keys of an agent.
    let privateSHA1: [UInt8]?

    /// Puts the forms together.
    /// - Parameters:
    ///   - blob: the public key in SSH's encoding.
    ///   - privateInfo: the private key as PKCS#8 in DER (RFC 5208 §5), a secret; only its hash is
    ///     kept.
    public init(blob: [UInt8]?, privateInfo: [UInt8]? = nil) {
        self.blob = blob
        privateSHA1 = privateInfo.map { Array(Insecure.SHA1.hash(data: $0)) }
    }

    /// Puts the forms together for a key of AWS's own making, which comes as PKCS#1.
    /// - Parameters:
    ///   - blob: the public key in SSH's encoding.
    ///   - rsaPrivateKey: what `BEGIN RSA PRIVATE KEY` wraps (RFC 8017 §A.1.2).
    public init(blob: [UInt8]?, rsaPrivateKey: [UInt8]) {
        let version: [UInt8] = [0x02, 0x01, 0x00]
        let info = DER.sequence(version + DER.rsaAlgorithm + DER.element(0x04, rsaPrivateKey))
        self.init(blob: blob, privateInfo: info)
    }
}

/// The key pair an instance was launched with, as far as AWS tells.
public struct KeyPairProof: Sendable, Equatable {
    /// The fingerprint.
    public var fingerprint: KeyPairFingerprint?
    /// The public key in SSH's encoding; AWS keeps it for newer pairs.
    public var blob: [UInt8]?

    /// Takes a fingerprint alone.
    init(_ fingerprint: KeyPairFingerprint) { self.fingerprint = fingerprint }

    /// Reads what DescribeKeyPairs gives.
    /// - Parameters:
    ///   - fingerprint: the fingerprint's text.
    ///   - publicKey: a line as in `authorized_keys`.
    public init(fingerprint: String?, publicKey: String?) {
        self.fingerprint = fingerprint.flatMap(KeyPairFingerprint.init)
        blob = publicKey.flatMap { PublicKeyBlob(line: $0)?.bytes }
    }

    /// Whether a key is the one of the pair.
    /// - Parameter key: all forms of the key that the caller has.
    /// - Returns: nil when it cannot be told.
    public func matches(_ key: KeyMaterial) -> Bool? {
        if let blob, let own = key.blob { return blob == own }
        return fingerprint?.matches(key)
    }
}
