internal import Faults
internal import JSONText

// IAM Identity Center: the token that `aws sso login` left buys a role's keys.
extension CredentialChain {
    func signOnCredentials(_ profile: String) async throws(ServiceError) -> Credentials? {
        guard let signOn = try signOn(of: profile) else { return nil }
        let cache = CredentialCache(settings.paths.roleCache)
        if let cached = cache.credentials(signOn.cacheKey, at: exchange.now) { return cached }
        let token = try await token(for: signOn, profile)
        let caller = AWSClient(region: signOn.region, exchange, .nobody)
        do throws(ServiceError) {
            let credentials = try await caller.roleCredentials(
                role: signOn.role,
                account: signOn.account,
                token: token
            )
            let role = AssumedRole(
                credentials: credentials,
                account: signOn.account,
                type: "sso",
                zone: "Z"
            )
            cache.store(role, under: signOn.cacheKey)
            return credentials
        } catch {
            guard error.status == 401 else { throw error }
            throw refused(
                "the single sign-on's token is no longer taken",
                hint: signOnHint(profile)
            )
        }
    }

    func signOnHint(_ profile: String) -> Hint {
        .run("aws sso login --profile \(shellWord(profile))")
    }

    /// What a profile and its `[sso-session]` say, as botocore checks it.
    private func signOn(of profile: String) throws(ServiceError) -> SignOn? {
        var values = section(profile)
        if values["sso_role_name"] == nil && values["sso_account_id"] == nil { return nil }
        let session = values.text("sso_session")
        if let session {
            guard let shared = settings.files.singleSignOns[session] else {
                throw refused(
                    "the profile \(quoted(profile)) names [sso-session \(visible(session.utf8))], "
                        + "and there is none",
                    hint: .run("aws configure sso --profile \(shellWord(profile))")
                )
            }
            for (name, value) in shared {
                if let own = values[name], own != value {
                    throw refused("\(name) differs between \(quoted(profile)) and its sso-session")
                }
                values[name] = value
            }
        }
        let names = ["sso_role_name", "sso_account_id", "sso_start_url", "sso_region"]
        let missing = names.filter { values.text($0) == nil }
        guard missing.isEmpty, let role = values.text("sso_role_name"),
            let account = values.text("sso_account_id"), let url = values.text("sso_start_url"),
            let region = values.text("sso_region")
        else {
            throw refused(
                "the profile \(quoted(profile)) lacks \(missing.joined(separator: ", "))",
                hint: .run("aws configure sso --profile \(shellWord(profile))")
            )
        }
        return SignOn(role: role, account: account, startURL: url, region: region, session: session)
    }

    /// The token of the cache, renewed when it is near its end and can be.
    private func token(
        for signOn: SignOn,
        _ profile: String
    ) async throws(ServiceError) -> String {
        let cache = CredentialCache(settings.paths.tokenCache)
        guard let file = cache.read(signOn.tokenKey), let token = file["accessToken"]?.string,
            let end = file["expiresAt"]?.string.flatMap({ Timestamp($0) })
        else {
            throw refused(
                "nobody has logged in to the single sign-on of the profile \(quoted(profile))",
                hint: signOnHint(profile)
            )
        }
        let left = end.seconds - exchange.now.seconds
        if signOn.session != nil, left < tokenMargin,
            let fresh = await renewed(file, signOn, cache)
        {
            return fresh
        }
        if left <= 0 {
            throw refused(
                "the single sign-on of the profile \(quoted(profile)) has ended at \(end.iso("Z"))",
                hint: signOnHint(profile)
            )
        }
        return token
    }

    private func renewed(
        _ file: JSON,
        _ signOn: SignOn,
        _ cache: CredentialCache
    ) async -> String? {
        guard let id = file["clientId"]?.string, let secret = file["clientSecret"]?.string,
            let refresh = file["refreshToken"]?.string,
            let registered = file["registrationExpiresAt"]?.string,
            let registrationEnd = Timestamp(registered), registrationEnd > exchange.now
        else { return nil }
        let caller = AWSClient(region: signOn.region, exchange, .nobody)
        guard
            let fresh = try? await caller.createToken(
                clientID: id,
                clientSecret: secret,
                refreshToken: refresh
            )
        else { return nil }
        let end = Timestamp(seconds: exchange.now.seconds + Int64(fresh.seconds))
        var members: [(name: String, value: JSON)] = [
            ("startUrl", JSON(.string(signOn.startURL))), ("region", JSON(.string(signOn.region))),
            ("accessToken", JSON(.string(fresh.accessToken))),
            ("expiresAt", JSON(.string(end.iso("Z")))), ("clientId", JSON(.string(id))),
            ("clientSecret", JSON(.string(secret))),
            ("registrationExpiresAt", JSON(.string(registered))),
        ]
        if let next = fresh.refreshToken { members.append(("refreshToken", JSON(.string(next)))) }
        cache.write(signOn.tokenKey, JSON(.object(members)))
        return fresh.accessToken
    }
}

/// What single sign-on is asked for.
private struct SignOn {
    var role: String
    var account: String
    var startURL: String
    var region: String
    /// The name of the `[sso-session]`; nil for what is called legacy.
    var session: String?

    /// The name of the token's file.
    var tokenKey: String { sha1(session ?? startURL) }

    /// The name of the keys' file: the hash of JSON without blanks, names sorted.
    var cacheKey: String {
        let own =
            session.map { "\"sessionName\":\(pythonText($0))" }
            ?? "\"startUrl\":\(pythonText(startURL))"
        let names = "\"accountId\":\(pythonText(account)),\"roleName\":\(pythonText(role))"
        return sha1("{\(names),\(own)}")
    }
}

/// Seconds before its end at which a token is renewed.
private let tokenMargin: Int64 = 900
