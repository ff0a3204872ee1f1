extension ServiceCaller {
    /// Takes a role with our own keys (STS AssumeRole).
    /// - Parameters:
    ///   - arguments: which role, and how.
    ///   - code: of the MFA device that the arguments name.
    ///   - now: names the session when the arguments do not.
    /// - Returns: the role's keys.
    /// - Throws: ``ServiceError``.
    func assumeRole(
        _ arguments: RoleArguments,
        code: String?,
        at now: Timestamp
    ) async throws(ServiceError) -> AssumedRole {
        var fields = arguments.fields(at: now)
        if let code { fields.append(.init("TokenCode", code)) }
        let action = "AssumeRole"
        let answer = try await query(.sts, action: action, version: version, fields)
        return try role(in: answer, action)
    }

    /// Takes a role with a token (STS AssumeRoleWithWebIdentity); the caller signs nothing.
    /// - Parameters:
    ///   - arguments: which role, and how.
    ///   - token: what the identity provider gave.
    ///   - now: names the session when the arguments do not.
    /// - Returns: the role's keys.
    /// - Throws: ``ServiceError``.
    func assumeRole(
        _ arguments: RoleArguments,
        webIdentity token: String,
        at now: Timestamp
    ) async throws(ServiceError) -> AssumedRole {
        let fields = arguments.fields(at: now) + [.init("WebIdentityToken", token)]
        let action = "AssumeRoleWithWebIdentity"
        let answer = try await query(.sts, action: action, version: version, fields)
        return try role(in: answer, action)
    }

    private func role(
        in answer: XMLElement,
        _ action: String
    ) throws(ServiceError) -> AssumedRole {
        let result = answer["\(action)Result"]
        guard let keys = result?["Credentials"], let id = keys.text("AccessKeyId"),
            let secret = keys.text("SecretAccessKey"), let token = keys.text("SessionToken"),
            let end = keys.text("Expiration").flatMap({ Timestamp($0) })
        else { throw ServiceError(.malformed, "sts:\(action): the answer has no keys") }
        let name = result?["AssumedRoleUser"]?.text("Arn")?.split(
            separator: ":",
            omittingEmptySubsequences: false
        )
        return AssumedRole(
            credentials: Credentials(
                accessKeyID: id,
                secretAccessKey: secret,
                sessionToken: token,
                expiration: end
            ),
            account: name?.count ?? 0 > 5 ? name.map { String($0[4]) } : nil
        )
    }
}

extension RoleArguments {
    fileprivate func fields(at now: Timestamp) -> [APIRequest.Field] {
        var fields: [APIRequest.Field] = [
            .init("RoleArn", role),
            .init("RoleSessionName", sessionName ?? "ec2sh-\(now.seconds)"),
        ]
        if let externalID { fields.append(.init("ExternalId", externalID)) }
        if let serialNumber { fields.append(.init("SerialNumber", serialNumber)) }
        if let duration { fields.append(.init("DurationSeconds", "\(duration)")) }
        return fields
    }
}

private let version = "2011-06-15"
