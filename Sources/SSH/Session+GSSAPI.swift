internal import CLibSSH
public import Posix

extension Session {
    /// What a login by a Kerberos ticket is told.
    public struct GSSAPIParameters: Sendable {
        /// GSSAPIServerIdentity, else the host's name.
        public var server: String
        /// GSSAPIClientIdentity; nil for the ticket there is.
        public var client: String?
        /// GSSAPIDelegateCredentials.
        public var delegates: Bool

        /// Describes a login by a Kerberos ticket.
        /// - Parameters:
        ///   - server: the server's name in its principal.
        ///   - client: our principal; nil for that of the ticket there is.
        ///   - delegates: whether the ticket is handed on to the server.
        public init(server: String, client: String?, delegates: Bool) {
            self.server = server
            self.client = client
            self.delegates = delegates
        }
    }

    /// Logs in with a Kerberos ticket (RFC 4462 §3).
    ///
    /// The Kerberos library may look names up and ask a ticket server, which takes what it takes;
    /// without a ticket it does neither.
    /// - Parameters:
    ///   - user: who to log in as; libssh takes no name with `\`, quotes and the like here.
    ///   - parameters: whose ticket, and for whom.
    /// - Returns: the server's answer; a refusal as well when there is no ticket.
    /// - Throws: the session's failure.  C: `ssh_userauth_gssapi`.
    public func authenticateGSSAPI(
        user: String,
        _ parameters: GSSAPIParameters
    ) throws(SSHError) -> Attempt<LoginReply> {
        if !isGSSAPIPrepared {
            isGSSAPIPrepared = true
            try prepareGSSAPI(user, parameters)
        }
        let reply = try attempt { unsafe ssh_userauth_gssapi(handle) }
        if case .done = reply { isGSSAPIPrepared = false }
        return reply
    }

    private func prepareGSSAPI(
        _ user: String,
        _ parameters: GSSAPIParameters
    ) throws(SSHError) {
        try set(SSH_OPTIONS_USER, user)
        try set(SSH_OPTIONS_GSSAPI_SERVER_IDENTITY, parameters.server)
        if let client = parameters.client { try set(SSH_OPTIONS_GSSAPI_CLIENT_IDENTITY, client) }
        try set(SSH_OPTIONS_GSSAPI_DELEGATE_CREDENTIALS, Int32(parameters.delegates ? 1 : 0))
    }
}
