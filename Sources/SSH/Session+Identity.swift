internal import CLibSSH

extension Session {
    /// The server's identification line, such as `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
    public var serverIdentification: String { unsafe text(unsafe ssh_get_serverbanner(handle)) }
    /// Our identification line.
    public var clientIdentification: String { unsafe text(unsafe ssh_get_clientbanner(handle)) }
    /// The key exchange agreed on.
    public var keyExchange: String { unsafe text(unsafe ssh_get_kex_algo(handle)) }
    /// The cipher from the server to us.
    public var cipherIn: String { unsafe text(unsafe ssh_get_cipher_in(handle)) }
    /// The cipher from us to the server.
    public var cipherOut: String { unsafe text(unsafe ssh_get_cipher_out(handle)) }
    /// The MAC from the server to us.
    public var macIn: String { unsafe text(unsafe ssh_get_hmac_in(handle)) }
    /// The MAC from us to the server.
    public var macOut: String { unsafe text(unsafe ssh_get_hmac_out(handle)) }

    /// The key the server has proved to have.
    /// - Returns: its type and its public key blob (RFC 4253 §6.6).
    /// - Throws: ``SSHError`` before the key exchange is done.  C: `ssh_get_server_publickey`.
    public func hostKey() throws(SSHError) -> (type: String, blob: [UInt8]) {
        var key: OpaquePointer?
        guard unsafe ssh_get_server_publickey(handle, &key) == SSH_OK else {
            throw .refused(libraryError)
        }
        defer { unsafe ssh_key_free(key) }
        guard let encoded = unsafe publicKeyBase64(key), let blob = Base64.decode(encoded.utf8)
        else { throw .unusableKey("the server's host key cannot be read") }
        // An ECDSA key's type is only complete in the blob, where it comes first.
        var reader = WireReader(blob)
        return (reader.text() ?? "", blob)
    }
}

/// Takes a key's public half out of libssh as the text that stands in `.pub` files.
/// - Returns: nil for a key without one.  C: `ssh_pki_export_pubkey_base64`.
func publicKeyBase64(_ key: OpaquePointer?) -> String? {
    var encoded: UnsafeMutablePointer<CChar>?
    guard unsafe ssh_pki_export_pubkey_base64(key, &encoded) == SSH_OK else { return nil }
    defer { unsafe ssh_string_free_char(encoded) }
    return unsafe encoded.map { unsafe String(cString: $0) }
}

/// Copies a C string that may be missing.
func text(_ pointer: UnsafePointer<CChar>?) -> String {
    unsafe pointer.map { unsafe String(cString: $0) } ?? ""
}
