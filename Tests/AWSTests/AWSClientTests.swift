import JSONText
import Synchronization
import Testing

@testable import AWS

@Suite struct AWSClientTests {
    private static let credentials = Credentials(
        accessKeyID: "AKIDEXAMPLE",
        secretAccessKey: "secret",
        sessionToken: "token"
    )
    private static let start: Int64 = 1_735_787_045  // 2025-01-02T03:04:05Z

    private static func client(
        _ wire: ScriptedWire,
        access: Access = Access(),
        attempts: Int = 3,
        pauses: Pauses = Pauses()
    ) -> AWSClient {
        let exchange = Exchange(
            access,
            attempts: attempts,
            wire: wire,
            clock: { start },
            pause: { seconds in pauses.add(seconds) }
        )
        return AWSClient(region: "eu-central-1", exchange, .fixed(credentials))
    }

    @Test("A form is posted, signed for its service and region")
    func query() async throws {
        let wire = ScriptedWire([.success(WireResponse(200, "<R><a>1</a></R>"))])
        let answer = try await Self.client(wire).query(
            .ec2,
            action: "DescribeInstances",
            version: "2016-11-15",
            [.init("Filter.1.Name", "tag:a b")]
        )
        #expect(answer.text("a") == "1")
        let sent = try #require(wire.requests.first)
        #expect(sent.url == WebURL("https://ec2.eu-central-1.amazonaws.com/"))
        #expect(sent.request.method == "POST" && sent.request.target == "/")
        let body = "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aa%20b"
        #expect(String(decoding: sent.request.body, as: UTF8.self) == body)
        let signature = sent.request.headers.first { $0.name == "Authorization" }?.value
        let scope = "Credential=AKIDEXAMPLE/20250102/eu-central-1/ec2/aws4_request"
        #expect(signature?.contains(scope) == true)
    }

    @Test("JSON is posted to the target, under an endpoint's own path")
    func json() async throws {
        let wire = ScriptedWire([.success(WireResponse(200, #"{"SessionId":"s"}"#))])
        var access = Access()
        access.endpoints[.ssm] = "http://localhost:5000/base/"
        let answer = try await Self.client(wire, access: access).json(
            .ssm,
            target: "AmazonSSM.StartSession",
            .object(["Target": "i-1"])
        )
        #expect(answer["SessionId"]?.string == "s")
        let sent = try #require(wire.requests.first)
        #expect(sent.request.host == "localhost:5000" && sent.request.target == "/base/")
        #expect(sent.request.headers.contains(.init("X-Amz-Target", "AmazonSSM.StartSession")))
    }

    @Test(
        "Errors are understood in each of their forms",
        arguments: [
            (
                WireResponse(
                    400,
                    "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code>"
                        + "<Message>no i-1</Message></Error></Errors><RequestID>r</RequestID></Response>"
                ), "InvalidInstanceID.NotFound", "no i-1", "r"
            ),
            (
                WireResponse(
                    403,
                    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                        + "<Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                ), "AccessDenied", "m", "r"
            ),
            (
                WireResponse(
                    400,
                    #"{"__type":"com.amazonaws.ssm#TargetNotConnected","Message":"m"}"#,
                    [.init("x-amzn-requestid", "r")]
                ), "TargetNotConnected", "m", "r"
            ),
            (
                WireResponse(
                    401,
                    #"{"message":"m"}"#,
                    [.init("x-amzn-errortype", "UnauthorizedException:http://x")]
                ), "UnauthorizedException", "m", ""
            ),
            (
                WireResponse(400, #"{"error":"invalid_grant","error_description":"m"}"#),
                "invalid_grant", "m", ""
            ), (WireResponse(400, "nothing"), "", "", ""),
        ]
    )
    func errors(response: WireResponse, code: String, message: String, id: String) async throws {
        let wire = ScriptedWire([.success(response)])
        let error = try await #require(throws: ServiceError.self) {
            try await Self.client(wire).callerIdentity()
        }
        #expect(error.code == code && error.message == message && error.requestID == id)
        #expect(error.status == response.status && wire.requests.count == 1)
    }

    @Test(
        "A page in the place of an answer is said to be one",
        arguments: [
            WireResponse(302, ""),
            WireResponse(403, "<html>", [.init("content-type", "text/html")]),
            WireResponse(200, "<html><br></html>"), WireResponse(200, ""),
        ]
    )
    func pages(response: WireResponse) async throws {
        let error = try await #require(throws: ServiceError.self) {
            try await Self.client(ScriptedWire([.success(response)])).callerIdentity()
        }
        #expect(error.kind == .malformed)
    }

    @Test(
        "What may go away is tried three times, after growing pauses",
        arguments: [
            Result<WireResponse, WireError>.success(WireResponse(503, "")),
            .success(WireResponse(500, "{}")),
            .success(WireResponse(400, #"{"__type":"RequestTimeout"}"#)),
            .failure(WireError(reason: "the connection was closed")),
        ]
    )
    func retries(answer: Result<WireResponse, WireError>) async throws {
        let pauses = Pauses()
        let wire = ScriptedWire([answer, answer, answer, answer])
        await #expect(throws: ServiceError.self) {
            try await Self.client(wire, pauses: pauses).callerIdentity()
        }
        #expect(wire.requests.count == 3)
        let seconds = pauses.all
        #expect(seconds.count == 2 && seconds[0] <= 1 && seconds[1] <= 2)

        let good = ScriptedWire([answer, .success(WireResponse(200, "<a/>"))])
        _ = try await Self.client(good).query(.ec2, action: "A", version: "1", [])
        #expect(good.requests.count == 2)
    }

    @Test(
        "What will not change is asked once",
        arguments: [
            Result<WireResponse, WireError>.success(WireResponse(400, "{}")),
            .success(WireResponse(403, "")),
            .failure(WireError(reason: "TLS", isTransient: false)),
        ]
    )
    func noRetries(answer: Result<WireResponse, WireError>) async throws {
        let wire = ScriptedWire([answer, answer])
        await #expect(throws: ServiceError.self) { try await Self.client(wire).callerIdentity() }
        #expect(wire.requests.count == 1)
    }

    @Test("A clock that is wrong is set right by the server's, once")
    func clock() async throws {
        let wrong = WireResponse(
            403,
            #"{"__type":"InvalidSignatureException","message":"expired"}"#,
            [.init("date", "Thu, 02 Jan 2025 05:04:05 GMT")]
        )
        let wire = ScriptedWire([.success(wrong), .success(WireResponse(200, "{}"))])
        let client = Self.client(wire)
        _ = try await client.json(.ssm, target: "A.B", .object([:]))
        #expect(client.now == Timestamp(seconds: Self.start + 7200))
        let dates = wire.requests.map { sent in
            sent.request.headers.first { $0.name == "X-Amz-Date" }?.value
        }
        #expect(dates == ["20250102T030405Z", "20250102T050405Z"])

        let twice = ScriptedWire([.success(wrong), .success(wrong), .success(wrong)])
        let error = await #expect(throws: ServiceError.self) {
            try await Self.client(twice).json(.ssm, target: "A.B", .object([:]))
        }
        #expect(twice.requests.count == 2 && error?.kind == .noCredentials)
    }

    @Test("Calls that were under way while another has set the clock right are made once more")
    func clockOfOthers() async throws {
        let wire = CrossedWire()
        let exchange = Exchange(Access(), attempts: 1, wire: wire, clock: { Self.start })
        let client = AWSClient(region: "eu-central-1", exchange, .fixed(Self.credentials))
        async let first = client.json(.ssm, target: "A.B", .object([:]))
        async let second = client.json(.ssm, target: "A.C", .object([:]))
        _ = try await (first, second)
        #expect(wire.count == 4)
    }

    @Test("Keys that have ended are taken anew and the call is made once more")
    func expiry() async throws {
        let ended = WireResponse(400, #"{"__type":"ExpiredTokenException"}"#)
        let wire = ScriptedWire([.success(ended), .success(WireResponse(200, "{}"))])
        let exchange = Exchange(Access(), attempts: 3, wire: wire, clock: { Self.start })
        let count = Pauses()
        let store = CredentialStore(clock: { exchange.now }) { () async throws(ServiceError) in
            count.add(1)
            return Credentials(accessKeyID: "AK\(count.all.count)", secretAccessKey: "s")
        }
        let client = AWSClient(region: "r", exchange, .store(store))
        _ = try await client.json(.ssm, target: "A.B", .object([:]))
        let keys = wire.requests.compactMap { sent in
            sent.request.headers.first { $0.name == "Authorization" }?.value.split(separator: "/")
                .first?.split(separator: "=").last
        }
        #expect(keys == ["AK1", "AK2"])
    }

    @Test("However many ask at once, credentials are found once and kept until near their end")
    func store() async throws {
        let now = Mutex<Int64>(0)
        let count = Pauses()
        let store = CredentialStore(clock: { Timestamp(seconds: now.withLock { $0 }) }) {
            () async throws(ServiceError) in
            count.add(1)
            await Task.yield()
            return Credentials(
                accessKeyID: "A",
                secretAccessKey: "s",
                expiration: Timestamp(seconds: now.withLock { $0 } + 3600)
            )
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try? await store.credentials() } }
        }
        now.withLock { $0 = 3299 }
        _ = try await store.credentials()
        #expect(count.all.count == 1)
        now.withLock { $0 = 3300 }
        _ = try await store.credentials()
        #expect(count.all.count == 2)
    }
}

/// Keeps numbers from any thread.
final class Pauses: Sendable {
    private let numbers = Mutex<[Double]>([])

    var all: [Double] { numbers.withLock { $0 } }

    func add(_ number: Double) { numbers.withLock { $0.append(number) } }
}

/// Answers two calls only when both are there: the second after the first has got its answer, both
/// times that their clock is wrong; then it answers well.
private final class CrossedWire: Wire {
    private let requests = Mutex(0)
    private let isBoth = AsyncStream.makeStream(of: Void.self)
    private let isMended = AsyncStream.makeStream(of: Void.self)
    var count: Int { requests.withLock { $0 } }

    func send(_ request: WireRequest) async throws(WireError) -> WireResponse {
        let number = requests.withLock { count in
            count += 1
            return count
        }
        switch number {
        case 1:
            for await _ in isBoth.stream { break }
        case 2:
            isBoth.continuation.yield()
            // The first comes again when it has set the clock.
            for await _ in isMended.stream { break }
        case 3:
            isMended.continuation.yield()
            return WireResponse(200, "{}")
        default:
            return WireResponse(200, "{}")
        }
        return WireResponse(
            403,
            #"{"__type":"InvalidSignatureException","message":"expired"}"#,
            [.init("date", "Thu, 02 Jan 2025 05:04:05 GMT")]
        )
    }
}
