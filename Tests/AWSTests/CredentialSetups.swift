@testable import AWS

/// An environment in which credentials are looked for; `URL` stands for where the services are.
struct CredentialSetup: Sendable, CustomStringConvertible {
    /// What comes of it, as far as it matters which.
    enum End: Equatable {
        case keys
        case none
        case error
    }

    var description: String
    var end: End
    var config = ""
    var credentials = ""
    var environment: [String: String] = [:]
    var profile: String?
    /// Further files, by their path below the home directory, which `HOME` stands for.
    var files: [String: String] = [:]

    init(
        _ description: String,
        _ end: End,
        config: String = "",
        credentials: String = "",
        _ environment: [String: String] = [:],
        profile: String? = nil,
        files: [String: String] = [:]
    ) {
        self.description = description
        self.end = end
        self.config = config
        self.credentials = credentials
        self.environment = environment
        self.profile = profile
        self.files = files
    }
}

private let variables = ["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "HIDDENe"]
private let both = "aws_access_key_id = A\naws_secret_access_key = HIDDENa\n"
private let role = "role_arn = arn:aws:iam::123456789012:role/r\n"
private let metadata = [
    "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "URL/imds",
]
private let container = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "URL/container"]
private let identity = [
    "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/jwt",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/web",
]
private let signOn = """
    [profile s]
    sso_session = mine
    sso_account_id = 123456789012
    sso_role_name = admin
    [sso-session mine]
    sso_start_url = https://x.awsapps.com/start
    sso_region = eu-west-1

    """
private let legacy = """
    [profile s]
    sso_account_id = 123456789012
    sso_role_name = admin
    sso_start_url = https://x.awsapps.com/start
    sso_region = eu-west-1

    """
private let inS = ["AWS_PROFILE": "s"]
private let past = "2001-01-01T00:00:00Z"
private let future = "2099-01-01T00:00:00Z"

private func token(
    _ name: String,
    _ token: String,
    until end: String,
    more: String = ""
) -> [String:
    String]
{
    [
        ".aws/sso/cache/\(sha1(name)).json":
            #"{"accessToken": "\#(token)", "expiresAt": "\#(end)"\#(more)}"#
    ]
}

private func refreshable(_ token: String, registered: String = future) -> String {
    #", "clientId": "c", "clientSecret": "HIDDENd", "refreshToken": "\#(token)", "#
        + #""registrationExpiresAt": "\#(registered)""#
}

private func process(_ json: String) -> String {
    "[default]\ncredential_process = printf %s '\(json)'\n"
}

private func cachedRole(until end: String) -> [String: String] {
    let key = RoleArguments(role: "arn:aws:iam::123456789012:role/r").cacheKey
    return [
        ".aws/cli/cache/\(key).json":
            #"{"Credentials": {"AccessKeyId": "C", "SecretAccessKey": "HIDDENc", "SessionToken": "t", "#
            + #""Expiration": "\#(end)"}}"#
    ]
}

private func login(until end: String) -> [String: String] {
    [
        ".aws/login/cache/\(sha256("arn:me")).json":
            #"{"accessToken": {"accessKeyId": "L", "secretAccessKey": "HIDDENl", "sessionToken": "t", "#
            + #""accountId": "1", "expiresAt": "\#(end)"}, "refreshToken": "r", "dpopKey": "k", "#
            + #""clientId": "c"}"#
    ]
}

let environmentSetups: [CredentialSetup] = [
    .init("nothing at all", .none), .init("variables", .keys, variables),
    .init("variables with a token", .keys, variables.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }),
    .init(
        "variables with the older token",
        .keys,
        variables.merging(["AWS_SESSION_TOKEN": "t", "AWS_SECURITY_TOKEN": "u"]) { $1 }
    ), .init("an id without a secret", .error, ["AWS_ACCESS_KEY_ID": "E"]),
    .init("an empty id", .none, ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "HIDDENe"]),
    .init("variables before files", .keys, credentials: "[default]\n" + both, variables),
    .init(
        "a profile's variable does not put the keys' aside",
        .keys,
        credentials: "[x]\n" + both,
        variables.merging(["AWS_PROFILE": "x"]) { $1 }
    ),
    .init(
        "a profile that is named puts the variables aside",
        .keys,
        credentials: "[x]\n" + both,
        variables,
        profile: "x"
    ),
    .init(
        "variables with an end",
        .keys,
        variables.merging(["AWS_CREDENTIAL_EXPIRATION": future]) { $1 }
    ),
    .init(
        "variables that have ended",
        .error,
        variables.merging(["AWS_CREDENTIAL_EXPIRATION": past]) { $1 }
    ),
]

let fileSetups: [CredentialSetup] = [
    .init("the credentials file", .keys, credentials: "[default]\n" + both),
    .init(
        "a profile with a token",
        .keys,
        credentials: "[x]\n" + both + "aws_session_token = t\n",
        ["AWS_PROFILE": "x"]
    ),
    .init(
        "another credentials file",
        .keys,
        ["AWS_SHARED_CREDENTIALS_FILE": "~/other"],
        files: ["other": "[default]\n" + both]
    ),
    .init(
        "another config file",
        .keys,
        ["AWS_CONFIG_FILE": "$HOME/other"],
        files: ["other": "[default]\n" + both]
    ), .init("the config file", .keys, config: "[profile x]\n" + both, ["AWS_PROFILE": "x"]),
    .init("[profile default]", .keys, config: "[profile default]\n" + both),
    .init(
        "credentials before config",
        .keys,
        config: "[default]\naws_access_key_id = B\naws_secret_access_key = HIDDENb\n",
        credentials: "[default]\n" + both
    ),
    .init(
        "an id in one file and its secret in the other",
        .error,
        config: "[default]\naws_secret_access_key = HIDDENa\n",
        credentials: "[default]\naws_access_key_id = A\n"
    ),
    .init(
        "a name with blanks",
        .keys,
        config: "[profile \"my work\"]\n" + both,
        ["AWS_PROFILE": "my work"]
    ), .init("a profile that is not there", .error, ["AWS_PROFILE": "x"]),
    .init("a file that is none", .error, config: "region = x\n"),
    .init("a name twice", .error, credentials: "[default]\n" + both + both),
    .init(
        "what is in every section",
        .keys,
        config: "[DEFAULT]\naws_secret_access_key = HIDDENd\n[default]\naws_access_key_id = D\n"
    ),
    .init(
        "comments, colons and blanks",
        .keys,
        credentials:
            "# c\n[default] x\n  AWS_Access_Key_Id : A ; b\n;c\n  aws_secret_access_key=a=\n"
    ),
]

let roleSetups: [CredentialSetup] = [
    .init(
        "a role by a profile's keys",
        .keys,
        config: "[default]\n" + role + "source_profile = a\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a role with all that can be said",
        .keys,
        config: "[default]\n" + role + "source_profile = a\nexternal_id = é\"x\n"
            + "role_session_name = me\nduration_seconds = 7200\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a duration that is no number",
        .keys,
        config: "[default]\n" + role + "source_profile = a\nduration_seconds = x\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a role that wants a code",
        .keys,
        config: "[default]\n" + role + "source_profile = a\nmfa_serial = arn:aws:iam::1:mfa/me\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a role by a role",
        .keys,
        config: "[default]\n" + role + "source_profile = b\n[profile b]\n"
            + "role_arn = arn:aws:iam::123456789012:role/b\nsource_profile = a\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a role by its own keys",
        .keys,
        config: "[default]\n" + role + "source_profile = default\n" + both
    ),
    .init("a role by itself", .error, config: "[default]\n" + role + "source_profile = default\n"),
    .init(
        "roles in a circle",
        .error,
        config: "[default]\n" + role + "source_profile = b\n[profile b]\n" + role
            + "source_profile = default\n"
    ),
    .init(
        "a source that is not there",
        .error,
        config: "[default]\n" + role + "source_profile = a\n"
    ),
    .init(
        "a source without keys",
        .error,
        config: "[default]\n" + role + "source_profile = a\n[profile a]\nregion = x\n"
    ),
    .init(
        "two sources",
        .error,
        config: "[default]\n" + role + "source_profile = a\ncredential_source = Environment\n",
        credentials: "[a]\n" + both
    ), .init("no source", .error, config: "[default]\n" + role),
    .init(
        "a role by the environment",
        .keys,
        config: "[profile x]\n" + role + "credential_source = Environment\n",
        variables,
        profile: "x"
    ),
    .init(
        "a role by the instance",
        .keys,
        config: "[default]\n" + role + "credential_source = Ec2InstanceMetadata\n",
        metadata
    ),
    .init(
        "a role by the container",
        .keys,
        config: "[default]\n" + role + "credential_source = EcsContainer\n",
        container
    ),
    .init(
        "a source nobody knows",
        .error,
        config: "[default]\n" + role + "credential_source = X\n"
    ),
    .init(
        "a role that is denied",
        .error,
        config: "[default]\nrole_arn = arn:aws:iam::123456789012:role/denied\nsource_profile = a\n",
        credentials: "[a]\n" + both
    ),
    .init(
        "a role in the cache",
        .keys,
        config: "[default]\n" + role + "source_profile = a\n",
        credentials: "[a]\n" + both,
        files: cachedRole(until: "2099-01-01T00:00:00UTC")
    ),
    .init(
        "a role in the cache that has ended",
        .keys,
        config: "[default]\n" + role + "source_profile = a\n",
        credentials: "[a]\n" + both,
        files: cachedRole(until: "2001-01-01T00:00:00+00:00")
    ),
    .init(
        "an endpoint of the profile's services",
        .keys,
        config: "[default]\n" + role + "source_profile = a\nservices = here\n"
            + "[services here]\nsts =\n  endpoint_url = URL\n",
        credentials: "[a]\n" + both,
        ["AWS_ENDPOINT_URL": ""]
    ), .init("web identity of the environment", .keys, identity, files: ["jwt": "token\n"]),
    .init(
        "web identity with a session's name",
        .keys,
        identity.merging(["AWS_ROLE_SESSION_NAME": "me"]) { $1 },
        files: ["jwt": "token"]
    ),
    .init(
        "web identity of a profile",
        .keys,
        config: "[default]\n" + role + "web_identity_token_file = HOME/jwt\n",
        files: ["jwt": "token"]
    ),
    .init(
        "web identity without a role",
        .error,
        ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/jwt"],
        files: ["jwt": "token"]
    ), .init("web identity without its file", .error, identity),
    .init(
        "web identity before keys, but not before a profile that is named",
        .keys,
        credentials: "[x]\n" + both,
        identity,
        profile: "x",
        files: ["jwt": "token"]
    ),
    .init(
        "a role by web identity",
        .keys,
        config: "[default]\n" + role + "source_profile = w\n[profile w]\n"
            + "role_arn = arn:aws:iam::123456789012:role/w\nweb_identity_token_file = HOME/jwt\n",
        files: ["jwt": "token"]
    ),
]

let signOnSetups: [CredentialSetup] = [
    .init(
        "single sign-on",
        .keys,
        config: signOn,
        inS,
        files: token("mine", "HIDDENa", until: future)
    ),
    .init(
        "single sign-on of old",
        .keys,
        config: legacy,
        inS,
        files: token("https://x.awsapps.com/start", "HIDDENa", until: future)
    ),
    .init(
        "single sign-on of old that has ended",
        .error,
        config: legacy,
        inS,
        files: token("https://x.awsapps.com/start", "HIDDENa", until: past, more: refreshable("r"))
    ),
    .init(
        "single sign-on that is renewed",
        .keys,
        config: signOn,
        inS,
        files: token("mine", "HIDDENa", until: past, more: refreshable("r"))
    ),
    .init(
        "single sign-on that cannot be renewed",
        .error,
        config: signOn,
        inS,
        files: token("mine", "HIDDENa", until: past, more: refreshable("bad"))
    ),
    .init(
        "single sign-on whose client has ended",
        .error,
        config: signOn,
        inS,
        files: token("mine", "HIDDENa", until: past, more: refreshable("r", registered: past))
    ),
    .init(
        "single sign-on without a way to renew",
        .error,
        config: signOn,
        inS,
        files: token("mine", "HIDDENa", until: past)
    ), .init("single sign-on without a login", .error, config: signOn, inS),
    .init(
        "single sign-on that is refused",
        .error,
        config: signOn,
        inS,
        files: token("mine", "bad", until: future)
    ),
    .init(
        "a sign-on session that is not there",
        .error,
        config: "[profile s]\nsso_session = x\nsso_account_id = 1\nsso_role_name = r\n",
        inS
    ),
    .init(
        "a sign-on session that says otherwise",
        .error,
        config: "[profile s]\nsso_region = x\nsso_session = m\nsso_account_id = 1\n"
            + "sso_role_name = r\n[sso-session m]\nsso_region = y\nsso_start_url = z\n",
        inS
    ),
    .init(
        "half a sign-on",
        .error,
        config: "[profile s]\nsso_account_id = 1\n" + both,
        inS
    ),
    .init(
        "single sign-on before keys",
        .keys,
        config: signOn,
        credentials: "[s]\n" + both,
        inS,
        files: token("mine", "HIDDENa", until: future)
    ),
    .init(
        "a role by single sign-on",
        .keys,
        config: signOn + "[default]\n" + role + "source_profile = s\n",
        files: token("mine", "HIDDENa", until: future)
    ),
]

let otherSetups: [CredentialSetup] = [
    .init(
        "a process",
        .keys,
        config: process(#"{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "HIDDENp"}"#)
    ),
    .init(
        "a process with token and end",
        .keys,
        config: process(
            #"{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "HIDDENp", "SessionToken": "t", "#
                + #""Expiration": "2099-01-01T00:00:00+01:00"}"#
        )
    ),
    .init(
        "a process whose keys have ended",
        .error,
        config: process(
            #"{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "HIDDENp", "Expiration": "\#(past)"}"#
        )
    ), .init("a process of another version", .error, config: process(#"{"Version": 2}"#)),
    .init(
        "a process without a secret",
        .error,
        config: process(#"{"Version": 1, "AccessKeyId": "P"}"#)
    ), .init("a process that says nothing of use", .error, config: process("x")),
    .init("a process that fails", .error, config: "[default]\ncredential_process = false\n"),
    .init("a process that is none", .error, config: "[default]\ncredential_process = /no/such\n"),
    .init(
        "keys of the credentials file before a process, and that before config",
        .keys,
        config: process(#"{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "HIDDENp"}"#) + both
    ),
    .init(
        "a role by a process",
        .keys,
        config: "[profile x]\n" + role + "source_profile = default\n"
            + process(#"{"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "HIDDENp"}"#),
        ["AWS_PROFILE": "x"]
    ),
    .init(
        "a login",
        .keys,
        config: "[default]\nlogin_session = arn:me\n",
        files: login(until: future)
    ), .init("a login that never was", .error, config: "[default]\nlogin_session = arn:me\n"),
    .init("a container", .keys, container),
    .init(
        "a container with a token",
        .keys,
        container.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic x"]) { $1 }
    ),
    .init(
        "a container with a token's file",
        .keys,
        container.merging([
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "no",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/t",
        ]) { $1 },
        files: ["t": "Bearer x"]
    ),
    .init(
        "a container's token with a line end",
        .error,
        container.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "HIDDEN\nb"]) { $1 }
    ),
    .init(
        "a container elsewhere",
        .error,
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/"]
    ),
    .init("an instance", .keys, metadata),
    .init(
        "an instance that may not be asked",
        .none,
        metadata.merging(["AWS_EC2_METADATA_DISABLED": "TRUE"]) { $1 }
    ),
    .init(
        "an instance's endpoint in the config file",
        .keys,
        config: "[default]\nec2_metadata_service_endpoint = URL/imds/\n",
        ["AWS_EC2_METADATA_DISABLED": ""]
    ), .init("a container before the instance", .keys, metadata.merging(container) { $1 }),
]
