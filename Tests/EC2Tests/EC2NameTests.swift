import Testing

@testable import EC2

struct EC2NameTests {
    @Test(
        "Names that EC2 gives are recognised",
        arguments: [
            ("i-0123456789abcdef0", EC2Name.Form.instanceID, "i-0123456789abcdef0", nil, nil),
            ("I-0123ABCD", .instanceID, "i-0123abcd", nil, nil),
            ("mi-0123456789abcdef0", .instanceID, "mi-0123456789abcdef0", nil, nil),
            (
                "ec2-203-0-113-25.compute-1.amazonaws.com", .publicName, nil, "203.0.113.25",
                "us-east-1"
            ),
            (
                "EC2-203-0-113-25.eu-west-1.compute.amazonaws.com.", .publicName, nil,
                "203.0.113.25",
                "eu-west-1"
            ),
            (
                "ec2-52-80-0-1.cn-north-1.compute.amazonaws.com.cn", .publicName, nil, "52.80.0.1",
                "cn-north-1"
            ),
            (
                "ec2-1-2-3-4.us-gov-west-1.compute.amazonaws.com", .publicName, nil, "1.2.3.4",
                "us-gov-west-1"
            ),
            (
                "ec2-1-2-3-4.us-iso-east-1.compute.c2s.ic.gov", .publicName, nil, "1.2.3.4",
                "us-iso-east-1"
            ),
            ("ip-10-0-0-7.ec2.internal", .privateName, nil, "10.0.0.7", "us-east-1"),
            (
                "ip-10-0-0-7.eu-central-1.compute.internal", .privateName, nil, "10.0.0.7",
                "eu-central-1"
            ),
            (
                "i-0123456789abcdef0.eu-central-1.compute.internal", .privateName,
                "i-0123456789abcdef0", nil, "eu-central-1"
            ),
            (
                "i-0123456789abcdef0.ec2.internal", .privateName, "i-0123456789abcdef0", nil,
                "us-east-1"
            ),
            ("ec2-1-2-3-400.eu-west-1.compute.amazonaws.com", .publicName, nil, nil, "eu-west-1"),
        ] as [(String, EC2Name.Form, String?, String?, String?)]
    )
    func recognised(
        host: String,
        form: EC2Name.Form,
        id: String?,
        address: String?,
        region: String?
    ) throws {
        let name = try #require(EC2Name(host))
        #expect(name.form == form)
        #expect(name.instanceID == id)
        #expect(name.address == address)
        #expect(name.region == region)
    }

    @Test(
        "Other names are not",
        arguments: [
            "", ".", "i-", "i-0123456", "i-0123456789abcdef01", "i-0123456g", "xi-01234567",
            "mi-", "example.com", "localhost", "10.0.0.7", "ec2-1-2-3-4.example.com",
            "ec2-1-2-3-4.compute.amazonaws.com", "x.ec2-1-2-3-4.compute-1.amazonaws.com",
            "ec2-1-2-3-4.compute-1.amazonaws.com.evil.example", "s3.eu-west-1.amazonaws.com",
            "ip-10-0-0-7.internal", "ec2.internal", "compute.internal",
            "web.eu-west-1.compute.internal",
            "ec2-1-2-3-4.a.b-1.compute.amazonaws.com", "ip-10-0-0-7.EVIL compute.internal",
        ]
    )
    func others(host: String) {
        #expect(EC2Name(host) == nil)
    }
}
