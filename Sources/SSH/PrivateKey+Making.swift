internal import CLibSSH

extension PrivateKey {
    /// Makes an Ed25519 key that lives in memory alone.
    ///
    /// C: `ssh_pki_generate`.
    /// - Returns: the key.
    /// - Throws: ``Problem/unreadable`` when libssh gives none.
    public static func makeEd25519() throws(Problem) -> PrivateKey {
        var key: OpaquePointer?
        guard unsafe ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK,
            let key = unsafe key
        else { throw .unreadable }
        return try unsafe PrivateKey(owning: key)
    }
}

extension UserKey {
    /// The key as a line of `authorized_keys`, without a comment.
    public var line: String { "\(algorithm) \(Base64.encode(blob))" }
}
