/// What proves to AWS who we are.
///
/// Its description shows nothing of it but the key's id.
public struct Credentials: Sendable, Equatable, CustomStringConvertible,
    CustomDebugStringConvertible
{
    /// `AKIA…` for a user, `ASIA…` for a role.
    public var accessKeyID: String
    /// The secret half.
    public var secretAccessKey: String
    /// Goes with temporary keys.
    public var sessionToken: String?
    /// When they end; nil for keys that do not.
    public var expiration: Timestamp?

    /// Makes credentials.
    /// - Parameters:
    ///   - accessKeyID: the public half.
    ///   - secretAccessKey: the secret half.
    ///   - sessionToken: goes with temporary keys.
    ///   - expiration: when they end.
    public init(
        accessKeyID: String,
        secretAccessKey: String,
        sessionToken: String? = nil,
        expiration: Timestamp? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    /// The key's id alone.
    public var description: String { "credentials \(accessKeyID)" }
    /// The key's id alone.
    public var debugDescription: String { description }
}
