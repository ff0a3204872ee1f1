import Posix
import Testing

@testable import AWS

@Suite struct SettingsTests {
    private static let config = """
        [default]
        region = eu-central-1
        ca_bundle = ~/ca.pem
        max_attempts = 5
        [profile "my work"]
        region = us-west-2
        use_fips_endpoint = true
        [profile bare]
        [not a profile]
        region = x
        """

    @Test(
        "Profile and region are found where AWS's tools find them",
        arguments: [
            ([:], nil, nil, "default", "eu-central-1"),
            (["AWS_PROFILE": "my work"], nil, nil, "my work", "us-west-2"),
            (["AWS_DEFAULT_PROFILE": "my work"], nil, nil, "my work", "us-west-2"),
            (["AWS_PROFILE": "bare"], nil, nil, "bare", nil),
            (["AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"], nil, nil, "default", "a"),
            (["AWS_DEFAULT_REGION": "b"], nil, nil, "default", "b"),
            (["AWS_PROFILE": "bare"], "my work", "c", "my work", "c"),
        ] as [([String: String], String?, String?, String, String?)]
    )
    func choices(
        environment: [String: String],
        profile: String?,
        region: String?,
        name: String,
        found: String?
    ) throws {
        let settings = try Self.settings(environment, profile: profile, region: region)
        #expect(settings.profileName == name && settings.region == found)
        #expect(settings.isProfileExplicit == (profile != nil))
    }

    @Test("A profile's other settings count")
    func others() throws {
        let usual = try Self.settings([:])
        #expect(usual.access.trustedCertificates?.hasSuffix("/ca.pem") == true)
        #expect(usual.access.trustedCertificates?.hasPrefix("/") == true)
        #expect(usual.attempts == 5 && !usual.access.usesFIPS)
        let work = try Self.settings(["AWS_CA_BUNDLE": "/x"], profile: "my work")
        #expect(work.access.usesFIPS && work.access.trustedCertificates == "/x")
        #expect(work.attempts == 3)
    }

    @Test("A profile that is not there is said", arguments: ["nobody", "not a profile"])
    func missing(profile: String) throws {
        let error = #expect(throws: ServiceError.self) {
            try Self.settings(["AWS_PROFILE": profile])
        }
        #expect(error?.kind == .configuration)
        #expect(error?.summary.contains(profile) == true)
    }

    @Test(
        "Paths are expanded as Python expands them",
        arguments: [
            ("~/a", "/h/a"), ("~", "/h"), ("$X/b", "x/b"), ("${X}b", "xb"), ("$NO/~", "$NO/~"),
            ("${X", "${X"), ("a$", "a$"),
        ]
    )
    func paths(path: String, expanded: String) {
        #expect(expand(path, ["X": "x"], home: "/h") == expanded)
    }

    private static func settings(
        _ environment: [String: String],
        profile: String? = nil,
        region: String? = nil
    ) throws -> AWSSettings {
        let home = try TemporaryHome()
        try home.write(".aws/config", config)
        return try AWSSettings(
            environment: environment,
            home: home.path,
            profile: profile,
            region: region
        )
    }
}
