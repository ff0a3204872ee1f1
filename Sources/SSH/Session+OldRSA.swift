internal import CLibSSH
internal import Crypto
internal import CryptoExtras

/// RSA keys and OpenSSH 7.4, which Amazon Linux 2 and CentOS 7 have.
///
/// That version verifies `rsa-sha2-512` but forgets to say so (compat.c, `SSH_BUG_SIGTYPE74`), so
/// libssh takes it for a server that knows SHA-1 alone, and a configuration without `ssh-rsa` then
/// keeps every RSA key back. It reads the hash from the signature and not from the name that was
/// announced, so `ssh-rsa` is announced and SHA-2 is what signs. Nothing is signed with SHA-1.
extension Session {
    /// The hash to sign with in place of the one announced; nil for every other server.
    var unannouncedRSA: String? {
        guard serverIdentification.contains("OpenSSH_7.4") else { return nil }
        return parameters.publicKeyAlgorithms.first { rsaSHA2.contains($0) }
    }

    /// Lets libssh announce `ssh-rsa` to a server that needs it.
    func allowOldRSAName() {
        guard unannouncedRSA != nil, !parameters.publicKeyAlgorithms.contains("ssh-rsa") else {
            return
        }
        let names = (parameters.publicKeyAlgorithms + ["ssh-rsa"]).joined(separator: ",")
        inLibrary {
            _ = unsafe ssh_options_set(handle, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, names)
        }
    }
}

private let rsaSHA2 = ["rsa-sha2-512", "rsa-sha2-256"]

extension PrivateKey {
    /// Signs as an agent would, with the hash that is asked for.
    /// - Returns: nil for a key that is not RSA.
    func rsaSigner() -> Signer? {
        guard publicKey.plain.kind == .rsa, let key = keyOfFields() ?? keyOfText() else {
            return nil
        }
        return { request in
            let signature =
                request.algorithm == "rsa-sha2-256"
                ? try? key.signature(
                    for: SHA256.hash(data: request.data),
                    padding: .insecurePKCS1v1_5
                )
                : try? key.signature(
                    for: SHA512.hash(data: request.data),
                    padding: .insecurePKCS1v1_5
                )
            guard let signature else { return nil }
            var blob = WireWriter()
            blob.string(Array(request.algorithm.utf8))
            blob.string(Array(signature.rawRepresentation))
            return blob.bytes
        }
    }

    /// An RSA key as PKCS#8 in DER without a passphrase (RFC 5208 §5), of which AWS makes the
    /// fingerprint of a key pair.
    /// - Returns: a secret, which the caller wipes; nil for other kinds of keys.
    public func rsaPrivateKeyInfo() -> [UInt8]? {
        guard publicKey.plain.kind == .rsa else { return nil }
        return (keyOfFields() ?? keyOfText()).map { Array($0.pkcs8DERRepresentation) }
    }

    /// The key out of OpenSSH's own format, which libssh reads without what PEM needs.
    private func keyOfFields() -> _RSA.Signing.PrivateKey? {
        var reader = WireReader(rsaFields)
        guard reader.text() == "ssh-rsa", let modulus = reader.integer(),
            let publicExponent = reader.integer(), let exponent = reader.integer(),
            reader.integer() != nil, let first = reader.integer(), let second = reader.integer()
        else { return nil }
        return try? _RSA.Signing.PrivateKey(
            n: Array(modulus),
            e: Array(publicExponent),
            d: Array(exponent),
            p: Array(first),
            q: Array(second)
        )
    }

    /// The key by way of PEM.
    private func keyOfText() -> _RSA.Signing.PrivateKey? {
        var encoded: UnsafeMutablePointer<CChar>?
        guard unsafe ssh_pki_export_privkey_base64(handle, nil, nil, nil, &encoded) == SSH_OK
        else { return nil }
        defer { unsafe ssh_string_free_char(encoded) }
        return unsafe try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: text(encoded))
    }
}
