internal import JSONText

extension AWSClient {
    /// Buys a role's keys with a token of single sign-on; nothing is signed.
    /// - Parameters:
    ///   - role: the role's name.
    ///   - account: twelve digits.
    ///   - token: what logging in gave.
    /// - Returns: the keys, with their end.
    /// - Throws: ``ServiceError``; status 401 when the token is not taken.
    func roleCredentials(
        role: String,
        account: String,
        token: String
    ) async throws(ServiceError) -> Credentials {
        let request = APIRequest(
            "GET",
            host: "",
            path: "/federation/credentials",
            query: [.init("role_name", role), .init("account_id", account)],
            headers: [.init("x-amz-sso_bearer_token", token)]
        )
        let call = ServiceCall(service: .sso, action: "GetRoleCredentials", request: request)
        let keys = try await json(call)["roleCredentials"]
        guard let id = keys?["accessKeyId"]?.string, let secret = keys?["secretAccessKey"]?.string,
            let milliseconds = keys?["expiration"]?.integer
        else { throw ServiceError(.malformed, "\(call.name): the answer has no keys") }
        return Credentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: keys?["sessionToken"]?.string,
            expiration: Timestamp(seconds: Int64(milliseconds / 1000))
        )
    }
}
