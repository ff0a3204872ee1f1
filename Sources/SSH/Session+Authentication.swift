internal import CLibSSH
public import Posix

/// The server's answer to one way of logging in.
public enum LoginReply: Sendable, Equatable {
    /// The login is done.
    case accepted
    /// This way is done, and another one is wanted as well.
    case partial
    /// This way did not do.
    case refused
}

extension Session {
    /// The methods the server named in its last refusal or partial success, in its order.
    public var methodsThatCanContinue: [String] { notes.methods }

    /// Whether the login has succeeded.
    public var isAuthenticated: Bool { isLoggedIn }

    /// The banners that came since this was last called, byte for byte (RFC 4252 §5.4).
    public func takeBanners() -> [[UInt8]] {
        collectBanner()
        defer { notes.banners = [] }
        return notes.banners
    }

    /// Asks to be let in without proof, which tells the methods and is to come first.
    ///
    /// libssh takes the server's signature algorithms (RFC 8308) into account only after this.
    /// - Parameter user: who to log in as; a connection is for one name alone.
    /// - Returns: the server's answer.
    /// - Throws: the session's failure.  C: `ssh_userauth_none`.
    public func authenticateNone(user: String) throws(SSHError) -> Attempt<LoginReply> {
        try attempt { unsafe ssh_userauth_none(handle, user) }
    }

    /// Logs in with a password (RFC 4252 §8).
    /// - Parameters:
    ///   - user: who to log in as.
    ///   - password: without a NUL, at which it would end.
    /// - Returns: the server's answer.
    /// - Throws: the session's failure.  C: `ssh_userauth_password`.
    public func authenticate(
        user: String,
        password: String
    ) throws(SSHError) -> Attempt<LoginReply> {
        try attempt { unsafe ssh_userauth_password(handle, user, password) }
    }

    /// Asks whether the server would take a key, before it is decrypted or signed with.
    /// - Parameters:
    ///   - key: a public key or certificate.
    ///   - user: who to log in as.
    /// - Returns: whether it would; false as well when no signature algorithm is allowed for it.
    /// - Throws: the session's failure; ``SSHError/unusableKey(_:)``.
    ///   C: `ssh_userauth_try_publickey`.
    public func offer(_ key: UserKey, user: String) throws(SSHError) -> Attempt<Bool> {
        // libssh wants the key again only when it sends, which it does at the first call.
        let imported = try PublicKey(key)
        let reply = try attempt(isLast: false) {
            unsafe ssh_userauth_try_publickey(handle, user, imported.handle)
        }
        return switch reply {
        case .again: .again
        case .done(let reply): .done(reply == .accepted)
        }
    }

    /// Logs in with a private key, and its certificate if it has one (RFC 4252 §7).
    /// - Throws: the session's failure.  C: `ssh_userauth_publickey`.
    public func authenticate(
        user: String,
        key: PrivateKey
    ) throws(SSHError) -> Attempt<LoginReply> {
        if unannouncedRSA != nil, key.publicKey.rsaBits != nil, key.publicKey.certificate == nil {
            guard let sign = key.rsaSigner() else { throw .unsignableRSA }
            return try authenticate(user: user, key: key.publicKey, sign: sign)
        }
        return try attempt { unsafe ssh_userauth_publickey(handle, user, key.handle) }
    }

    /// Makes one call of libssh's and reads its answer.
    ///
    /// After a disconnect libssh answers AGAIN for ever, so the connection is looked at each time.
    /// - Parameters:
    ///   - isLast: whether success is the end of the login.
    ///   - call: one of the `ssh_userauth_` functions.
    /// - Returns: the server's answer.
    /// - Throws: the session's failure, or what libssh says is wrong with the call.
    func attempt(
        isLast: Bool = true,
        _ call: () -> Int32
    ) throws(SSHError) -> Attempt<LoginReply> {
        if let failure { throw failure }
        let code = inLibrary(call)
        noteFailure()
        return try outcome(code, isLast: isLast)
    }

    /// Reads what one of the `ssh_userauth_` functions returned.
    func outcome(_ code: Int32, isLast: Bool) throws(SSHError) -> Attempt<LoginReply> {
        if let failure { throw failure }
        switch ssh_auth_e(rawValue: code) {
        case SSH_AUTH_AGAIN: return .again
        case SSH_AUTH_SUCCESS:
            if isLast { loggedIn() }
            return .done(.accepted)
        case SSH_AUTH_PARTIAL: return .done(.partial)
        case SSH_AUTH_DENIED: return .done(.refused)
        default: throw .refused(libraryError)
        }
    }
}
