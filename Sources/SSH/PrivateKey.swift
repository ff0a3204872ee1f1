internal import CLibSSH

/// A private key in libssh's hands, with or without a certificate.
///
/// Not Sendable: libssh's keys are counted without locks.
@safe public final class PrivateKey {
    let handle: OpaquePointer

    /// Reads a private key in PEM, PKCS#8 or OpenSSH's format.
    ///
    /// C: `ssh_pki_import_privkey_base64`.
    /// - Parameters:
    ///   - text: the file's contents.
    ///   - passphrase: nil when there is none.
    /// - Throws: ``SSHError/unusableKey(_:)`` when it is no key libssh reads, or the passphrase is
    ///   wrong; libssh does not tell which.
    public init(text: [UInt8], passphrase: String? = nil) throws(SSHError) {
        var key: OpaquePointer?
        let bytes = text.map { CChar(bitPattern: $0) } + [0]
        guard
            unsafe ssh_pki_import_privkey_base64(bytes, passphrase, nil, nil, &key) == SSH_OK,
            let key = unsafe key
        else { throw .unusableKey("the private key cannot be read") }
        unsafe handle = key
    }

    deinit { unsafe ssh_key_free(handle) }

    /// The public half.
    /// - Throws: ``SSHError/unusableKey(_:)``.
    public func publicKey() throws(SSHError) -> PublicKey {
        var key: OpaquePointer?
        guard unsafe ssh_pki_export_privkey_to_pubkey(handle, &key) == SSH_OK,
            let key = unsafe key
        else { throw .unusableKey("the private key has no public half") }
        return unsafe PublicKey(owning: key)
    }
}

/// A public key or certificate in libssh's hands.
@safe public final class PublicKey {
    let handle: OpaquePointer

    init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe ssh_key_free(handle) }
}
