internal import Faults

/// Finds out who we are, in botocore's order.
///
/// Environment, role of the profile, web identity, single sign-on, credentials file, `aws login`,
/// process, config file, container, instance; at last the AWS CLI is asked, which may know ways
/// that are not known here.
struct CredentialChain: Sendable {
    let settings: AWSSettings
    let exchange: Exchange
    /// Asks the person who sits there; nil when nobody does.
    let asking: @Sendable (String) async -> String?

    init(
        _ settings: AWSSettings,
        _ exchange: Exchange,
        asking: @escaping @Sendable (String) async -> String?
    ) {
        self.settings = settings
        self.exchange = exchange
        self.asking = asking
    }

    /// - Returns: credentials that have not ended.
    /// - Throws: ``ServiceError`` when there are none, or what should give some does not.
    func load() async throws(ServiceError) -> Credentials {
        guard let credentials = try await find() else { throw nothingFound }
        return try current(credentials)
    }

    private func find() async throws(ServiceError) -> Credentials? {
        let profile = settings.profileName
        if !settings.isProfileExplicit, let found = try environmentCredentials() { return found }
        if isRole(profile) { return try await roleCredentials(profile, visited: [profile]) }
        let ofEnvironment = !settings.isProfileExplicit
        if let found = try await profileCredentials(profile, fromEnvironment: ofEnvironment) {
            return found
        }
        if let found = try await containerCredentials() { return found }
        if let found = await metadata.credentials() { return found }
        return settings.section.isEmpty ? nil : try await exportedCredentials(profile)
    }

    /// What a profile gives without taking a role by other keys; also for source profiles.
    func profileCredentials(
        _ profile: String,
        fromEnvironment: Bool = false
    ) async throws(ServiceError) -> Credentials? {
        let files = settings.files
        if let found = try await webIdentityCredentials(profile, fromEnvironment: fromEnvironment) {
            return found
        }
        if let found = try await signOnCredentials(profile) { return found }
        if let found = try keys(files.credentials[profile], in: settings.paths.credentials) {
            return found
        }
        if let found = try await loginCredentials(profile) { return found }
        if let found = try await processCredentials(profile) { return found }
        return try keys(files.configured[profile], in: settings.paths.config)
    }

    /// The variables' keys.
    func environmentCredentials() throws(ServiceError) -> Credentials? {
        guard let id = settings.variable("AWS_ACCESS_KEY_ID") else { return nil }
        guard let secret = settings.variable("AWS_SECRET_ACCESS_KEY") else {
            throw refused("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
        }
        var end: Timestamp?
        if let text = settings.variable("AWS_CREDENTIAL_EXPIRATION") {
            end = Timestamp(text)
            if end == nil { throw refused("AWS_CREDENTIAL_EXPIRATION is no time") }
        }
        return Credentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: settings.variable("AWS_SECURITY_TOKEN")
                ?? settings.variable("AWS_SESSION_TOKEN"),
            expiration: end
        )
    }

    /// The keys that stand in a section.
    private func keys(
        _ section: INIFile.Section?,
        in file: String
    ) throws(ServiceError) -> Credentials? {
        guard let section, let id = section.text("aws_access_key_id") else { return nil }
        guard let secret = section.text("aws_secret_access_key") else {
            throw refused("\(file) has aws_access_key_id without aws_secret_access_key")
        }
        return Credentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: section.text("aws_security_token") ?? section.text("aws_session_token")
        )
    }

    func section(_ profile: String) -> INIFile.Section { settings.files.profiles[profile] ?? [:] }

    private func current(_ credentials: Credentials) throws(ServiceError) -> Credentials {
        guard let end = credentials.expiration, end <= exchange.now else { return credentials }
        throw refused("the credentials have ended at \(end.iso("Z"))", hint: renewal)
    }

    /// What cannot give credentials although it should.
    func refused(_ summary: String, hint: Hint? = nil) -> ServiceError {
        ServiceError(.noCredentials, summary, hint: hint ?? .run("aws configure"))
    }

    /// How a person gets new ones.
    private var renewal: Hint {
        if section(settings.profileName)["sso_account_id"] != nil {
            return signOnHint(settings.profileName)
        }
        return .advice("take new ones from where these came from")
    }

    private var nothingFound: ServiceError {
        refused(
            "no credentials for the profile \(quoted(settings.profileName)): not in the "
                + "environment, \(settings.paths.credentials), \(settings.paths.config), "
                + "a container or an instance"
        )
    }
}

/// As one word of a shell's command line.
/// - Parameter text: any text.
/// - Returns: the text, in quotes where it needs them.
public func shellWord(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
        (0x41...0x5a).contains($0 & ~0x20) || (0x30...0x39).contains($0)
            || "-_./=@".utf8.contains($0)
    }
    if isPlain && !text.isEmpty { return text }
    return "'"
        + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        + "'"
}

/// In quotes, safe to show.
func quoted(_ text: String) -> String { "\"\(visible(text.utf8))\"" }
