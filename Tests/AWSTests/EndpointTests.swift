import Testing

@testable import AWS

@Suite struct EndpointTests {
    private enum Kind { case plain, fips, dualStack, both }

    @Test(
        "Hosts are those of AWS's endpoint rules",
        arguments: [
            ("us-east-1", false, false, Service.ec2, "ec2.us-east-1.amazonaws.com"),
            ("us-east-1", false, true, .ec2, "ec2.us-east-1.api.aws"),
            ("us-east-1", true, false, .ssm, "ssm-fips.us-east-1.amazonaws.com"),
            ("us-east-1", true, true, .sts, "sts-fips.us-east-1.api.aws"),
            ("xx-new-1", false, false, .ec2, "ec2.xx-new-1.amazonaws.com"),
            ("cn-north-1", false, false, .ec2, "ec2.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", false, true, .ssm, "ssm.cn-north-1.api.amazonwebservices.com.cn"),
            ("us-gov-west-1", true, false, .ec2, "ec2.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, false, .sts, "sts.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, false, .kms, "kms-fips.us-gov-west-1.amazonaws.com"),
            ("us-gov-east-1", true, true, .ec2, "ec2-fips.us-gov-east-1.api.aws"),
            ("eusc-de-east-1", false, false, .ec2, "ec2.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", false, false, .ec2, "ec2.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, false, .ec2, "ec2.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", false, false, .ec2, "ec2.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", false, true, .ec2, "ec2.us-isof-south-1.api.aws.hci.ic.gov"),
            ("eu-west-1", false, false, .sso, "portal.sso.eu-west-1.amazonaws.com"),
            ("eu-west-1", true, false, .sso, "portal.sso-fips.eu-west-1.amazonaws.com"),
            ("eu-west-1", false, false, .ssoTokens, "oidc.eu-west-1.amazonaws.com"),
            (
                "us-gov-east-1", true, false, .instanceConnect,
                "ec2-instance-connect-fips.us-gov-east-1.amazonaws.com"
            ),
        ]
    )
    func hosts(region: String, fips: Bool, dual: Bool, service: Service, host: String) throws {
        var access = Access()
        access.usesFIPS = fips
        access.usesDualStack = dual
        #expect(try access.url(of: service, in: region) == WebURL("https://\(host)"))
    }

    @Test("A region that is none leads nowhere", arguments: ["", "a.b", "a/b", "-a", "EU", "a b"])
    func strangeRegions(region: String) {
        let error = #expect(throws: ServiceError.self) { try Access().url(of: .ec2, in: region) }
        #expect(error?.kind == .configuration)
    }

    @Test(
        "The nearest of the user's endpoints wins",
        arguments: [
            ([:], "http://section"), (["AWS_ENDPOINT_URL": "http://all"], "http://all"),
            (
                ["AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SSO_OIDC": "http://own"],
                "http://own"
            ),
            (["AWS_ENDPOINT_URL": ""], "http://section"),
            (["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"], nil),
        ] as [([String: String], String?)]
    )
    func configured(environment: [String: String], url: String?) throws {
        let config = """
            [default]
            endpoint_url = http://profile
            services = s
            [services s]
            sso_oidc =
                endpoint_url = http://section
            """
        let files = SharedFiles(config: try INIFile(Array(config.utf8)), credentials: nil)
        let access = try Access(environment, files.profiles["default"] ?? [:], files, home: "/h")
        #expect(access.endpoints[.ssoTokens] == url)
        #expect(
            access.endpoints[.ec2]
                == url.map { _ in
                    environment["AWS_ENDPOINT_URL"].flatMap { $0.isEmpty ? nil : $0 }
                        ?? "http://profile"
                }
        )
    }

    @Test("A services section that is not there is said")
    func missingServices() throws {
        let files = SharedFiles(config: nil, credentials: nil)
        let error = #expect(throws: ServiceError.self) {
            try Access([:], ["services": .text("x")], files, home: "/h")
        }
        #expect(error?.summary.contains("[services x]") == true)
    }
}
