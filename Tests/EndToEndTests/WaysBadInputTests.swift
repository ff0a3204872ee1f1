import Foundation
import TestSupport
import Testing

/// What comes from the network and means no good: it ends in clear words or is passed over, costs a
/// bounded amount of memory, and nothing of it is trusted.
@Suite(.serialized, .enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysBadInputTests {
    private let cloud: CloudClient
    private let servers: WebServers

    init() async throws {
        cloud = try await CloudClient()
        servers = try WebServers.shared.get()
    }

    private func url(_ path: String) -> String {
        "http://127.0.0.1:\(servers.port("plain"))\(path)"
    }

    /// Runs, and expects words that end the run, in time and without much memory.
    private func expectRefusal(
        _ arguments: [String],
        _ environment: [String: String] = [:],
        saying words: String,
        within limit: Duration = .seconds(60),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (run, cost) = try await cloud.measure(arguments, environment, limit: .seconds(100))
        expectClearWords(run, within: limit, sourceLocation: sourceLocation)
        #expect(run.errorText.contains(words), "\(run.errorText)", sourceLocation: sourceLocation)
        #expect(!run.errorText.contains("root:"), sourceLocation: sourceLocation)
        print("bad input: \(Int(cost.peak)) MiB, \(run.duration): \(run.errorLines.first ?? "")")
        #expect(cost.peak < 300, sourceLocation: sourceLocation)
    }

    // MARK: - The data channel

    @Test(
        "A message that is none of the service's ends the session, and says what it was",
        arguments: [
            ("short", "a message that ends before its end"),
            ("header", "a message with a header of 2147483648 bytes"),
            ("length", "a message that says it carries 2147483648 bytes, and carries 6"),
            ("schema", "a message of version 7"),
            ("digest", "a message that is not what its digest says"),
        ]
    )
    func spoilt(kind: String, words: String) async throws {
        let web = try await cloud.aws.launch("web")
        try await cloud.aws.order("plan", ["spoil": .text(kind)])
        try await expectRefusal(CloudClient.only("ssm") + [web.id, "true"], saying: words)
    }

    @Test(
        "What is too much, or about nothing, is passed over",
        arguments: ["ahead", "numbers", "acknowledgements", "texts", "long"]
    )
    func passedOver(kind: String) async throws {
        let web = try await cloud.aws.launch("web")
        try await cloud.aws.order("plan", ["spoil": .text(kind)])
        let arguments = CloudClient.only("ssm") + [web.id, CloudClient.question]
        let (run, cost) = try await cloud.measure(arguments)
        expectReached(run, web)
        print("bad input: \(Int(cost.peak)) MiB, \(run.duration): \(kind)")
        #expect(cost.peak < 100)
    }

    // MARK: - Answers

    @Test(
        "Answers of EC2 that are too long, too deep, too many, or something else",
        arguments: [
            ("/xml", "longer than 32 MB"), ("/xml-many", "no XML: too many elements"),
            ("/xml-deep", "no XML: too deep"), ("/entities", "no XML: a document type"),
            ("/outside", "no XML: a document type"), ("/redirects", "302 and a page"),
            ("/headers", "no HTTP"), ("/garbage", "no HTTP"), ("/endless", "longer than 32 MB"),
            ("/cut", "closed"),
        ]
    )
    func xml(path: String, words: String) async throws {
        try await expectRefusal(
            ["i-0123456789abcdef0", "true"],
            ["AWS_ENDPOINT_URL_EC2": url(path)],
            saying: words
        )
    }

    @Test(
        "Answers of Systems Manager that are too long, too deep, too many, or something else",
        arguments: [
            ("/json", "longer than 32 MB"), ("/json-deep", "no JSON: too deep"),
            ("/json-many", "no JSON: too many values"), ("/redirects", "302 and a page"),
            ("/garbage", "no HTTP"), ("/endless", "longer than 32 MB"),
        ]
    )
    func json(path: String, words: String) async throws {
        let web = try await cloud.aws.launch("web")
        try await expectRefusal(
            CloudClient.only("ssm") + [web.id, "true"],
            ["AWS_ENDPOINT_URL_SSM": url(path)],
            saying: words
        )
    }

    @Test(
        "Whoever should give credentials, and gives something else",
        arguments: ["/json", "/json-deep", "/redirects", "/garbage", "/endless"]
    )
    func credentials(path: String) async throws {
        try await expectRefusal(
            ["i-0123456789abcdef0", "true"],
            [
                "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": url(path),
            ],
            saying: "credentials"
        )
    }

    // MARK: - Proxies

    @Test(
        "A proxy that dies, or never ends its answer, before AWS",
        arguments: ["dying", "torrent"]
    )
    func proxy(manner: String) async throws {
        try await expectRefusal(
            ["i-0123456789abcdef0", "true"],
            ["HTTPS_PROXY": "http://127.0.0.1:\(servers.port(manner))"],
            saying: "the connection was closed (by the proxy 127.0.0.1"
        )
    }

    @Test(
        "The same before the data channel alone",
        arguments: [("dying", "cut"), ("torrent", "its answer has no end")]
    )
    func tunnelProxy(manner: String, words: String) async throws {
        let web = try await cloud.aws.launch("web")
        try await expectRefusal(
            CloudClient.only("ssm") + [web.id, "true"],
            [
                "HTTPS_PROXY": "http://127.0.0.1:\(servers.port(manner))",
                "NO_PROXY": "ec2.eu-central-1.amazonaws.com,ssm.eu-central-1.amazonaws.com",
            ],
            saying: words
        )
    }
}
