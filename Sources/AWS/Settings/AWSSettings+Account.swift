extension AWSSettings {
    /// Whether something on this machine looks like credentials.
    ///
    /// Without it only an instance's own metadata could have some; asking for them takes seconds
    /// everywhere else.
    public var hasSignsOfCredentials: Bool {
        signs.contains { variable($0) != nil } || !files.profiles.isEmpty
    }

    /// What tells this account's things from another's, as far as can be told without asking: the
    /// profile's name, or the public half of the key in the environment.
    public var accountName: String {
        guard !isProfileExplicit, let id = variable("AWS_ACCESS_KEY_ID") else { return profileName }
        return "key:\(id)"
    }
}

/// Variables that credentials come from.
private let signs = [
    "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
]
