import TestSupport
import Testing

@testable import AWS

/// Real connections to servers on this machine.
@Suite(.serialized) struct HTTPWireTests {
    private static let host = "ec2.eu-central-1.amazonaws.com"
    private let servers: WebServers

    init() throws { servers = try WebServers.shared.get() }

    @Test("An answer is taken whole, with its headers")
    func ordinary() async throws {
        let response = try await send("http://127.0.0.1:\(servers.port("plain"))/ok")
        #expect(response.status == 200 && response.text == "<a>1</a>")
        #expect(response.header("date") == "Thu, 02 Jan 2025 03:04:05 GMT")
    }

    @Test("A body arrives as it was sent")
    func body() async throws {
        let url = "http://127.0.0.1:\(servers.port("plain"))/echo"
        let response = try await send(url, body: "a=b&c=\u{e9}")
        #expect(response.text == "a=b&c=\u{e9}")
    }

    @Test("No redirect is followed")
    func redirect() async throws {
        let response = try await send("http://127.0.0.1:\(servers.port("plain"))/redirect")
        #expect(response.status == 302)
    }

    @Test(
        "What is no answer, or too much of one, is an error in time",
        arguments: [
            ("/long", "longer than 32 MB", false), ("/endless", "longer than 32 MB", false),
            ("/cut", "closed", true), ("/garbage", "no HTTP", true),
            ("/silent", "no answer in time", true),
            ("/drip", "no answer in time", true),
        ]
    )
    func badAnswers(path: String, reason: String, isTransient: Bool) async throws {
        let url = "http://127.0.0.1:\(servers.port("plain"))\(path)"
        let begin = ContinuousClock.now
        let error = try await #require(throws: WireError.self) {
            try await send(url, limit: path.hasPrefix("/long") || path.hasPrefix("/end") ? 60 : 1)
        }
        #expect(error.reason.contains(reason) && error.isTransient == isTransient, "\(error)")
        #expect(ContinuousClock.now - begin < .seconds(50))
    }

    @Test("Nobody there is said in the system's words")
    func refused() async throws {
        let error = try await #require(throws: WireError.self) {
            try await send("http://127.0.0.1:9/")
        }
        #expect(error == WireError(reason: "Connection refused"))
        let unknown = try await #require(throws: WireError.self) {
            try await send("http://nowhere.invalid/")
        }
        #expect(unknown.reason.contains("nowhere.invalid") && unknown.isTransient)
    }

    @Test("A proxy carries TLS and plain HTTP, and does not see into the first")
    func proxy() async throws {
        let proxies = Proxies([
            "https_proxy": "http://127.0.0.1:\(servers.port("proxy"))",
            "http_proxy": "127.0.0.1:\(servers.port("proxy"))",
        ])
        let access = access(proxies)
        #expect(try await send("https://\(Self.host)/ok", access).text == "<a>1</a>")
        #expect(try await send("http://nowhere.invalid/ok", access).text == "<a>1</a>")
    }

    @Test("A proxy that wants a password gets it, and one that does not is said")
    func login() async throws {
        let port = servers.port("login")
        let known = access(Proxies(["https_proxy": "http://me:p%40ss@127.0.0.1:\(port)"]))
        #expect(try await send("https://\(Self.host)/ok", known).text == "<a>1</a>")
        let stranger = access(Proxies(["https_proxy": "http://127.0.0.1:\(port)"]))
        let error = try await #require(throws: WireError.self) {
            try await send("https://\(Self.host)/ok", stranger)
        }
        #expect(error.reason.contains("wants a name and a password") && !error.isTransient)
        #expect(error.reason.contains("proxy 127.0.0.1 port \(port)"))
    }

    @Test("A certificate that is not trusted, or is another's, ends it")
    func certificates() async throws {
        let port = servers.port("tls")
        let untrusted = try await #require(throws: WireError.self) {
            try await send("https://127.0.0.1:\(port)/ok", limit: 5)
        }
        let another = try await #require(throws: WireError.self) {
            try await send("https://localhost:\(port)/ok", access(Proxies()), limit: 5)
        }
        for error in [untrusted, another] {
            #expect(error.reason.hasPrefix("TLS: ") && !error.isTransient)
        }
        var nobody = Access()
        nobody.trustedCertificates = "/no/such.pem"
        let trusting = nobody
        let missing = try await #require(throws: WireError.self) {
            try await send("https://localhost:\(port)/ok", trusting)
        }
        #expect(missing.reason.contains("/no/such.pem: No such file"))
    }

    private func send(
        _ text: String,
        _ access: Access = Access(),
        body: String? = nil,
        limit: Double = 30
    ) async throws -> WireResponse {
        let url = try #require(WebURL(text))
        var request = APIRequest(body == nil ? "GET" : "POST", host: url.authority, path: url.path)
        request.body = Array((body ?? "").utf8)
        var sent = WireRequest(url: url, request: request)
        sent.limit = limit
        return try await HTTPWire(access).send(sent)
    }

    private func access(_ proxies: Proxies) -> Access {
        var access = Access()
        access.proxies = proxies
        access.trustedCertificates = servers.certificates
        return access
    }
}
