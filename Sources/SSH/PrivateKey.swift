internal import CLibSSH
internal import Posix

/// A private key in libssh's hands, with or without a certificate.
///
/// Not Sendable: libssh counts nothing and locks nothing.
@safe public final class PrivateKey {
    /// Why a file gave no private key.
    public enum Problem: Error, Sendable, Equatable {
        /// It is encrypted, and the passphrase is missing or wrong.
        case wrongPassphrase
        /// It is no private key, or damaged, or of a kind libssh does not read.
        case unreadable
        /// It is an Ed25519 key in PKCS#8, a format OpenSSH does not read either.
        case ed25519InPKCS8

        /// OpenSSH's words for it, after `Load key "…": ` (ssherr.c).
        public var reason: String {
            switch self {
            case .wrongPassphrase: "incorrect passphrase supplied to decrypt private key"
            case .unreadable: "error in libcrypto"
            case .ed25519InPKCS8: "invalid format"
            }
        }
    }

    let handle: OpaquePointer
    /// The fields of an RSA key that libssh has no way to give back: a secret.
    private(set) var rsaFields: [UInt8] = []
    /// The public half, or the certificate that was put on it.
    public private(set) var publicKey: UserKey

    /// Reads a private key in PEM, PKCS#8 or OpenSSH's format.
    ///
    /// C: `ssh_pki_import_privkey_base64`.
    /// - Parameters:
    ///   - text: the file's contents.
    ///   - passphrase: nil when none is known.
    /// - Throws: ``Problem``.
    public convenience init(text: [UInt8], passphrase: String? = nil) throws(Problem) {
        let looks = PrivateKeyText(text)
        if looks.isEd25519InPKCS8 { throw .ed25519InPKCS8 }
        // Without one libssh would ask on the terminal by itself.
        if looks.isEncrypted && passphrase == nil { throw .wrongPassphrase }
        let bytes = text.map { CChar(bitPattern: $0) } + [0]
        var key: OpaquePointer?
        let code = unsafe ssh_pki_import_privkey_base64(bytes, passphrase ?? "", nil, nil, &key)
        guard code == SSH_OK, let key = unsafe key else {
            throw looks.isEncrypted ? .wrongPassphrase : .unreadable
        }
        unsafe try self.init(owning: key)
        if publicKey.rsaBits != nil { rsaFields = looks.privateFields ?? [] }
    }

    /// Takes a key of libssh's, which is freed even if it cannot be used.
    init(owning key: OpaquePointer) throws(Problem) {
        guard let publicKey = unsafe publicHalf(key) else {
            unsafe ssh_key_free(key)
            throw .unreadable
        }
        unsafe handle = key
        self.publicKey = publicKey
    }

    deinit {
        unsafe ssh_key_free(handle)
        wipe(&rsaFields)
    }

    /// Puts a certificate on the key, which is then shown in place of the public key.
    ///
    /// C: `ssh_pki_copy_cert_to_privkey`.
    /// - Parameter certificate: one for this key.
    /// - Throws: ``SSHError/unusableKey(_:)`` when it is for another key, or no certificate.
    public func attach(_ certificate: UserKey) throws(SSHError) {
        guard certificate.plain == publicKey.plain, certificate.certificate != nil else {
            throw .unusableKey("the certificate is for another key")
        }
        let imported = try PublicKey(certificate)
        guard unsafe ssh_pki_copy_cert_to_privkey(imported.handle, handle) == SSH_OK else {
            throw .unusableKey("the certificate cannot be used")
        }
        publicKey = certificate
    }
}

/// A public key or certificate in libssh's hands.
@safe final class PublicKey {
    let handle: OpaquePointer

    /// Hands a key or certificate to libssh.
    ///
    /// C: `ssh_pki_import_pubkey_base64`, `ssh_pki_import_cert_base64`.
    /// - Throws: ``SSHError/unusableKey(_:)`` for a kind it does not know.
    init(_ key: UserKey) throws(SSHError) {
        let text = Base64.encode(key.blob)
        let type = unsafe ssh_key_type_from_name(key.algorithm)
        var imported: OpaquePointer?
        let code =
            key.certificate == nil
            ? unsafe ssh_pki_import_pubkey_base64(text, type, &imported)
            : unsafe ssh_pki_import_cert_base64(text, type, &imported)
        guard code == SSH_OK, let imported = unsafe imported else {
            throw .unusableKey("keys of the kind \(key.algorithm) cannot be used")
        }
        unsafe handle = imported
    }

    deinit { unsafe ssh_key_free(handle) }
}

/// Reads the public half of a private key.
private func publicHalf(_ key: OpaquePointer) -> UserKey? {
    guard let text = unsafe publicKeyBase64(key), let blob = Base64.decode(text.utf8) else {
        return nil
    }
    return UserKey(blob: blob)
}
