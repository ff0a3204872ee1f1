internal import Faults

// Roles that a profile takes with the keys of another profile or source (`role_arn`).
extension CredentialChain {
    /// Whether a profile takes a role by other keys.
    func isRole(_ profile: String) -> Bool {
        let section = section(profile)
        return section["role_arn"] != nil && section["web_identity_token_file"] == nil
    }

    /// Takes the role of a profile, or finds it in the CLI's cache.
    /// - Parameters:
    ///   - profile: one that ``isRole(_:)`` is true of.
    ///   - visited: the profiles on the way here, this one included.
    /// - Returns: the role's keys.
    /// - Throws: ``ServiceError`` for settings that do not fit, and when the role is refused.
    func roleCredentials(
        _ profile: String,
        visited: [String]
    ) async throws(ServiceError) -> Credentials {
        let section = section(profile)
        guard let role = section.text("role_arn") else {
            throw refused("the profile \(quoted(profile)) has no role_arn")
        }
        let source = try source(of: profile, visited: visited)
        var arguments = RoleArguments(role: role)
        arguments.sessionName = section.text("role_session_name")
        arguments.externalID = section.text("external_id")
        arguments.serialNumber = section.text("mfa_serial")
        arguments.duration = section.text("duration_seconds").flatMap { Int($0) }

        let cache = CredentialCache(settings.paths.roleCache)
        if let cached = cache.credentials(arguments.cacheKey, at: exchange.now) { return cached }
        let keys = try await credentials(from: source, for: profile, visited: visited)
        let code = try await oneTimeCode(arguments.serialNumber)
        let region = settings.region ?? usualRegion
        let caller = AWSClient(region: region, exchange, .fixed(keys))
        let result = try await caller.assumeRole(arguments, code: code, at: exchange.now)
        cache.store(result, under: arguments.cacheKey)
        return result.credentials
    }

    private enum Source {
        case profile(String)
        case named(String)
    }

    /// Where the keys come from; said before anything is asked.
    private func source(
        of profile: String,
        visited: [String]
    ) throws(ServiceError) -> Source {
        let section = section(profile)
        switch (section.text("source_profile"), section.text("credential_source")) {
        case (nil, nil):
            throw refused(
                "the profile \(quoted(profile)) has a role_arn without source_profile or "
                    + "credential_source"
            )
        case (.some, .some):
            throw refused(
                "the profile \(quoted(profile)) has both source_profile and credential_source"
            )
        case (nil, .some(let source)):
            guard ["Environment", "EcsContainer", "Ec2InstanceMetadata"].contains(source) else {
                throw refused(
                    "the profile \(quoted(profile)) names the credential_source "
                        + "\(quoted(source)), which is none"
                )
            }
            return .named(source)
        case (.some(let source), nil):
            guard settings.files.profiles[source] != nil else {
                throw refused(
                    "the profile \(quoted(profile)) names the source_profile \(quoted(source)), "
                        + "and there is none"
                )
            }
            if visited.contains(source), source != profile || !hasKeys(source) {
                throw refused("the source_profile of \(quoted(profile)) leads in a circle")
            }
            return .profile(source)
        }
    }

    private func hasKeys(_ profile: String) -> Bool {
        let section = section(profile)
        return section["aws_access_key_id"] != nil || section["aws_secret_access_key"] != nil
    }

    private func credentials(
        from source: Source,
        for profile: String,
        visited: [String]
    ) async throws(ServiceError) -> Credentials {
        let found: Credentials?
        switch source {
        case .profile(let name):
            if isRole(name), !hasKeys(name) {
                return try await roleCredentials(name, visited: visited + [name])
            }
            found = try await profileCredentials(name)
        case .named("Environment"): found = try environmentCredentials()
        case .named("EcsContainer"): found = try await containerCredentials()
        case .named: found = await metadata.credentials()
        }
        guard let found else {
            throw refused("what the profile \(quoted(profile)) takes its role with has no keys")
        }
        return found
    }

    private func oneTimeCode(_ serialNumber: String?) async throws(ServiceError) -> String? {
        guard let serialNumber else { return nil }
        let question = "Enter MFA code for \(serialNumber): "
        guard let code = await asking(question), !code.isEmpty else {
            throw refused(
                "the role wants a code of \(quoted(serialNumber)), and there is nobody to ask",
                hint: .advice(
                    "log in where there is a terminal, or use keys that are valid already"
                )
            )
        }
        return code
    }
}

/// Where AWS's tools ask for a role when no region is set.
let usualRegion = "us-east-1"

/// What a role is asked with; makes the name of the CLI's cache file too.
struct RoleArguments: Sendable, Equatable {
    var role: String
    var sessionName: String?
    var externalID: String?
    var serialNumber: String?
    var duration: Int?

    init(role: String) { self.role = role }

    /// The hash of the arguments as Python writes them (`json.dumps` with sorted names).
    var cacheKey: String {
        var members: [String] = []
        if let duration { members.append("\"DurationSeconds\": \(duration)") }
        if let externalID { members.append("\"ExternalId\": \(pythonText(externalID))") }
        members.append("\"RoleArn\": \(pythonText(role))")
        if let sessionName { members.append("\"RoleSessionName\": \(pythonText(sessionName))") }
        if let serialNumber { members.append("\"SerialNumber\": \(pythonText(serialNumber))") }
        return sha1("{" + members.joined(separator: ", ") + "}")
    }
}
