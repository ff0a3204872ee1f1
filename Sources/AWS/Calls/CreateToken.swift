internal import JSONText

/// A fresh token of single sign-on.
struct SignOnToken: Sendable {
    var accessToken: String
    /// Buys the next one.
    var refreshToken: String?
    /// How long it is good.
    var seconds: Int
}

extension AWSClient {
    /// Renews a token of single sign-on (SSO OIDC CreateToken); nothing is signed.
    /// - Parameters:
    ///   - clientID: of the registered client, as in the token's file.
    ///   - clientSecret: its secret.
    ///   - refreshToken: what the old token came with.
    /// - Returns: the fresh token.
    /// - Throws: ``ServiceError``.
    func createToken(
        clientID: String,
        clientSecret: String,
        refreshToken: String
    ) async throws(ServiceError) -> SignOnToken {
        let body = JSON.object([
            "clientId": JSON(.string(clientID)), "clientSecret": JSON(.string(clientSecret)),
            "grantType": "refresh_token", "refreshToken": JSON(.string(refreshToken)),
        ])
        let request = APIRequest(
            "POST",
            host: "",
            path: "/token",
            headers: [.init("Content-Type", "application/json")],
            body: Array(body.text.utf8)
        )
        let call = ServiceCall(service: .ssoTokens, action: "CreateToken", request: request)
        let answer = try await json(call)
        guard let token = answer["accessToken"]?.string, let left = answer["expiresIn"]?.integer
        else { throw ServiceError(.malformed, "\(call.name): the answer has no token") }
        return SignOnToken(
            accessToken: token,
            refreshToken: answer["refreshToken"]?.string,
            seconds: min(max(left, 0), 1 << 30)
        )
    }
}
