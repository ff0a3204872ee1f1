internal import CLibSSH
internal import Posix

extension PrivateKey {
    /// The key as an agent takes it: kind and fields (draft-miller-ssh-agent §4.2), and a comment.
    /// - Parameter comment: what the user calls it.
    /// - Returns: a secret, which the caller wipes; nil for a key that libssh does not give back:
    ///   an RSA key that had a passphrase on OpenSSH's own format, and those on security keys.
    public func agentEncoding(comment: String) -> [UInt8]? {
        guard var fields = agentFields() else { return nil }
        defer { wipe(&fields) }
        var writer = WireWriter()
        writer.raw(fields)
        writer.string(Array(comment.utf8))
        return writer.bytes
    }

    private func agentFields() -> [UInt8]? {
        switch publicKey.plain.kind {
        case .rsa: rsaFields.isEmpty ? rsaFieldsOfText() : take(7, rsaFields)
        case .ed25519:
            exported().flatMap { PrivateKeyText($0).privateFields }.flatMap { take(3, $0) }
        case .ecdsa: ellipticFields()
        default: nil
        }
    }

    /// The first strings of some, without what follows them.
    private func take(_ count: Int, _ fields: [UInt8]) -> [UInt8]? {
        var reader = WireReader(fields)
        var writer = WireWriter()
        for _ in 0..<count {
            guard let field = reader.string() else { return nil }
            writer.string(field)
        }
        return writer.bytes
    }

    /// PKCS#1: version, n, e, d, p, q, two exponents and the coefficient (RFC 8017 §A.1.2).
    private func rsaFieldsOfText() -> [UInt8]? {
        guard var fields = innerKey() else { return nil }
        var numbers: [ArraySlice<UInt8>] = []
        while let number = DERKey.element(DERKey.integer, &fields) { numbers.append(number) }
        guard numbers.count == 9 else { return nil }
        var writer = WireWriter()
        writer.string(Array("ssh-rsa".utf8))
        for index in [1, 2, 3, 8, 4, 5] { writer.integer(numbers[index]) }
        return writer.bytes
    }

    /// SEC1: version and the number; the point stands in the public key (RFC 5915 §3).
    private func ellipticFields() -> [UInt8]? {
        guard var fields = innerKey(), DERKey.element(DERKey.integer, &fields) != nil,
            let number = DERKey.element(DERKey.octetString, &fields)
        else { return nil }
        var writer = WireWriter()
        writer.raw(publicKey.plain.blob)
        writer.integer(number)
        return writer.bytes
    }

    /// What is inside of PKCS#8: version, algorithm, and the key in its own encoding (RFC 5208 §5).
    private func innerKey() -> ArraySlice<UInt8>? {
        let lines = (exported() ?? []).split(separator: 0x0a)
        let body = lines.filter { !$0.starts(with: "-----".utf8) }.joined()
        var rest = (Base64.decode(Array(body)) ?? [])[...]
        guard var fields = DERKey.element(DERKey.sequence, &rest),
            DERKey.element(DERKey.integer, &fields) != nil,
            DERKey.element(DERKey.sequence, &fields) != nil,
            var wrapped = DERKey.element(DERKey.octetString, &fields)
        else { return nil }
        return DERKey.element(DERKey.sequence, &wrapped)
    }

    /// The key as libssh writes it, without a passphrase.
    private func exported() -> [UInt8]? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe ssh_pki_export_privkey_base64(handle, nil, nil, nil, &text) == SSH_OK,
            let text = unsafe text
        else { return nil }
        defer { unsafe ssh_string_free_char(text) }
        return unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
