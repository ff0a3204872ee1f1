import Testing

@testable import AWS

@Suite struct SignatureTests {
    static let time = Timestamp("2025-01-02T03:04:05Z")
    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    private func signature(token: String?, _ region: String, _ service: String) -> Signature {
        Signature(
            Credentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: SignatureTests.secret,
                sessionToken: token
            ),
            region: region,
            service: service
        )
    }

    struct Vector: Sendable {
        let request: APIRequest
        var token: String?
        var region = "us-east-1"
        let service: String
        let headers: String
        let signature: String
    }

    /// Values of botocore for the same requests, times and keys.
    static let vectors = [
        Vector(
            request: APIRequest(
                "GET",
                host: "ssmmessages.us-east-1.amazonaws.com",
                path: "/v1/data-channel/user-0a1b2c3d4e5f67890",
                query: [.init("role", "publish_subscribe"), .init("cell-number", "AAEAAX")]
            ),
            token: "tok/en+=",
            service: "ssmmessages",
            headers: "host;x-amz-date;x-amz-security-token",
            signature: "21f7710a4a3ac20763611b38499cf8712ebe6c4fcc8c77bd1fcfb720627430c7"
        ),
        Vector(
            request: APIRequest(
                "GET",
                host: "ssmmessages.us-east-1.amazonaws.com",
                path: "/v1/data-channel/jane@example.com-0a1b2c3d4e5f67890",
                query: [.init("role", "publish_subscribe")]
            ),
            token: "tok/en+=",
            service: "ssmmessages",
            headers: "host;x-amz-date;x-amz-security-token",
            signature: "36ec44691cb4fdd5560f6cf6eccc87d1795fa1cf7aa2beb8cd7ade74d5c563cf"
        ),
        Vector(
            request: APIRequest(
                "POST",
                host: "ec2.eu-central-1.amazonaws.com",
                headers: [
                    .init("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
                ],
                body: Array("Action=DescribeInstances&Version=2016-11-15".utf8)
            ),
            region: "eu-central-1",
            service: "ec2",
            headers: "content-type;host;x-amz-date",
            signature: "3fea8196a728fb61049c9c99159b01d6754e0d014bb1b3059175ee8ee07a2bc1"
        ),
        Vector(
            request: APIRequest(
                "POST",
                host: "ssm.us-west-2.amazonaws.com",
                headers: [
                    .init("Content-Type", "application/x-amz-json-1.1"),
                    .init("X-Amz-Target", "AmazonSSM.StartSession"),
                ],
                body: Array(#"{"Target":"i-0123456789abcdef0"}"#.utf8)
            ),
            token: "tok/en+=",
            region: "us-west-2",
            service: "ssm",
            headers: "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
            signature: "39bcfdaab4e5989b6db3277e948d960053f6233e5b21493d3fc1405eb5aca66c"
        ),
        Vector(
            request: APIRequest(
                "GET",
                host: "example.amazonaws.com",
                path: "/a%20b/c",
                query: [.init("Param1", "value/1"), .init("Param1", "a b"), .init("empty", "")]
            ),
            service: "service",
            headers: "host;x-amz-date",
            signature: "7712dbd2666f96048d4098ca7672801c71755393fb9fff60485ec40a1378d063"
        ),
    ]

    @Test("Requests are signed by header as botocore signs them", arguments: vectors)
    func header(vector: Vector) throws {
        let time = try #require(SignatureTests.time)
        let signed = signature(token: vector.token, vector.region, vector.service)
            .signed(vector.request, at: time)
        let scope = "20250102/\(vector.region)/\(vector.service)/aws4_request"
        #expect(
            signed.headers.last
                == .init(
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\(scope), "
                        + "SignedHeaders=\(vector.headers), Signature=\(vector.signature)"
                )
        )
        #expect(signed.headers.contains(.init("X-Amz-Date", "20250102T030405Z")))
    }

    @Test("AWS's published value for the plainest request")
    func published() throws {
        let time = try #require(Timestamp("2015-08-30T12:36:00Z"))
        let request = APIRequest("GET", host: "example.amazonaws.com")
        let signed = signature(token: nil, "us-east-1", "service").signed(request, at: time)
        let value = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        #expect(signed.headers.last?.value.hasSuffix("Signature=\(value)") == true)
    }

    @Test("A tunnel's address is signed by query, the token within the signature")
    func presigned() throws {
        let time = try #require(SignatureTests.time)
        let request = APIRequest(
            "GET",
            host: "eice-0123456789abcdef0.b1c2d3e4.ec2-instance-connect-endpoint.us-east-1."
                + "amazonaws.com",
            path: "/openTunnel",
            query: [
                .init("instanceConnectEndpointId", "eice-0123456789abcdef0"),
                .init("remotePort", "22"), .init("privateIpAddress", "10.0.1.23"),
                .init("maxTunnelDuration", "3600"),
            ]
        )
        let signed = signature(token: "tok/en+=", "us-east-1", "ec2-instance-connect")
            .presigned(request, at: time, for: 60)
        #expect(
            signed.target
                == "/openTunnel?instanceConnectEndpointId=eice-0123456789abcdef0&remotePort=22"
                + "&privateIpAddress=10.0.1.23&maxTunnelDuration=3600"
                + "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20250102"
                + "%2Fus-east-1%2Fec2-instance-connect%2Faws4_request"
                + "&X-Amz-Date=20250102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
                + "&X-Amz-Security-Token=tok%2Fen%2B%3D&X-Amz-Signature="
                + "752c4bc4d7fdc51408ee56fc320c88807393b4f065908bd211cc39d44cf9b42f"
        )
    }

    @Test("Credentials show nothing of their secrets")
    func secrets() {
        let credentials = Credentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: SignatureTests.secret,
            sessionToken: "token"
        )
        for text in ["\(credentials)", String(reflecting: credentials)] {
            #expect(text == "credentials AKIDEXAMPLE")
        }
    }
}

@Suite struct TimestampTests {
    @Test(
        "Times are read in the forms AWS's tools write",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2025-01-02T03:04:05Z", 1_735_787_045),
            ("2024-02-29T23:59:59.123Z", 1_709_251_199), ("2025-01-02T03:04:05UTC", 1_735_787_045),
            ("2025-01-02T05:04:05+02:00", 1_735_787_045),
            ("2025-01-01T22:34:05-0430", 1_735_787_045), ("2100-03-01T00:00:00Z", 4_107_542_400),
        ]
    )
    func reads(text: String, seconds: Int64) {
        #expect(Timestamp(text)?.seconds == seconds)
    }

    @Test(
        "What is no time is none",
        arguments: [
            "", "2025", "2025-13-01T00:00:00Z", "2025-01-02T24:00:00Z", "2025-01-02T03:04",
            "2025-01-02T03:04:05X", "20x5-01-02T03:04:05Z", "2025-01-02T03:04:05+1",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("Days all over four centuries are written as they are read")
    func calendar() {
        for day in stride(from: Int64(0), to: 146_097, by: 1009) {
            let text = Timestamp(seconds: day * 86_400 + 3_661).basic
            let characters = Array(text)
            let read =
                String(characters[0..<4]) + "-" + String(characters[4..<6]) + "-"
                + String(characters[6..<8]) + "T01:01:01Z"
            #expect(text.hasSuffix("T010101Z"))
            #expect(Timestamp(read)?.seconds == day * 86_400 + 3_661)
        }
    }
}
