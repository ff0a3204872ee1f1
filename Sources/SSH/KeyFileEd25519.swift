internal import Crypto

/// Ed25519 in PKCS#8, as OpenSSL writes it (RFC 8410 §7); OpenSSH does not read that, and libssh
/// reads it but cannot sign with it.
enum Ed25519InPKCS8 {
    /// Writes such a key in OpenSSH's format.
    /// - Parameter bytes: DER.
    /// - Returns: PEM for memory alone; nil when it is another key.
    static func openSSHText(_ bytes: [UInt8]) -> [UInt8]? {
        var rest = bytes[...]
        guard var fields = DERKey.element(DERKey.sequence, &rest),
            DERKey.element(DERKey.integer, &fields) != nil,
            DERKey.element(DERKey.sequence, &fields)?.elementsEqual(identifier) == true,
            var wrapped = DERKey.element(DERKey.octetString, &fields),
            let seed = DERKey.element(DERKey.octetString, &wrapped), seed.count == 32,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        else { return nil }
        let point = Array(key.publicKey.rawRepresentation)
        let name = Array("ssh-ed25519".utf8)
        var open = WireWriter()
        open.string(name)
        open.string(point)
        var secret = WireWriter()
        secret.string(name)
        secret.string(point)
        secret.string(Array(seed) + point)
        return OpenSSHPrivateKey.text(
            publicKey: open.bytes,
            privateFields: secret.bytes,
            comment: []
        )
    }

    /// The object identifier 1.3.101.112.
    private static let identifier: [UInt8] = [0x06, 0x03, 0x2b, 0x65, 0x70]
}
