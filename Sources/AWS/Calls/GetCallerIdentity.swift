/// Who AWS takes us for.
public struct CallerIdentity: Sendable, Equatable {
    /// Twelve digits.
    public var account: String
    /// Such as `arn:aws:sts::123456789012:assumed-role/admin/me`.
    public var arn: String
    /// Such as `AROA…:me`.
    public var userID: String
}

extension ServiceCaller {
    /// Asks who we are (STS GetCallerIdentity); nobody needs a permission for it.
    /// - Returns: account and name.
    /// - Throws: ``ServiceError``.
    public func callerIdentity() async throws(ServiceError) -> CallerIdentity {
        let action = "GetCallerIdentity"
        let answer = try await query(.sts, action: action, version: "2011-06-15", [])
        guard let result = answer["GetCallerIdentityResult"], let arn = result.text("Arn"),
            let account = result.text("Account"), let user = result.text("UserId")
        else { throw ServiceError(.malformed, "sts:\(action): the answer has no name") }
        return CallerIdentity(account: account, arn: arn, userID: user)
    }
}
