internal import Posix

// A role that is taken with a token from a file, as in Kubernetes and CI.
extension CredentialChain {
    func webIdentityCredentials(
        _ profile: String,
        fromEnvironment: Bool
    ) async throws(ServiceError) -> Credentials? {
        let section = section(profile)
        func value(_ variable: String, _ name: String) -> String? {
            (fromEnvironment ? settings.environment[variable] : nil) ?? section.text(name)
        }
        guard let path = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
            !path.isEmpty
        else { return nil }
        guard let role = value("AWS_ROLE_ARN", "role_arn"), !role.isEmpty else {
            throw refused("there is a file with a web identity's token, and no role_arn for it")
        }
        var arguments = RoleArguments(role: role)
        arguments.sessionName = value("AWS_ROLE_SESSION_NAME", "role_session_name")
        let cache = CredentialCache(settings.paths.roleCache)
        if let cached = cache.credentials(arguments.cacheKey, at: exchange.now) { return cached }
        let token: String
        do throws(SystemError) {
            token = String(decoding: try readFile(path, limit: 1 << 20).bytes, as: UTF8.self)
        } catch {
            throw refused("the web identity's token, \(error.summary)")
        }
        let caller = AWSClient(region: settings.region ?? usualRegion, exchange, .nobody)
        let result = try await caller.assumeRole(
            arguments,
            webIdentity: token,
            at: exchange.now
        )
        cache.store(result, under: arguments.cacheKey)
        return result.credentials
    }
}
