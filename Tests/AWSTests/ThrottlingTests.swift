import JSONText
import Synchronization
import Testing

@testable import AWS

/// What is done when AWS is asked too much.
@Suite struct ThrottlingTests {
    private static let words = [
        WireResponse(
            503,
            "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
        ),
        WireResponse(400, #"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
        WireResponse(429, "{}"),
    ]

    private func client(
        _ wire: ScriptedWire,
        _ pauses: Pauses,
        _ settings: AWSSettings
    ) -> AWSClient {
        let exchange = Exchange(
            Access(),
            attempts: settings.attempts,
            throttledAttempts: settings.throttledAttempts,
            wire: wire,
            pause: { pauses.add($0) }
        )
        return AWSClient(region: "eu-central-1", exchange, .nobody)
    }

    private func settings(_ environment: [String: String] = [:]) throws -> AWSSettings {
        try AWSSettings(environment: environment, home: "/nowhere")
    }

    @Test(
        "It is waited for longer than what fails otherwise, with pauses that grow",
        arguments: words
    )
    func patience(answer: WireResponse) async throws {
        let pauses = Pauses()
        let answers = Array(repeating: answer, count: 9) + [WireResponse(200, "{}")]
        let wire = ScriptedWire(answers.map { .success($0) })
        _ = try await client(wire, pauses, settings()).json(.ssm, target: "A.B", .object([:]))
        #expect(wire.requests.count == 10)
        let limits = [1.0, 2, 4, 8, 16, 20, 20, 20, 20]
        #expect(zip(pauses.all, limits).allSatisfy { (0...$1).contains($0) })
        #expect(pauses.all.count == limits.count)
    }

    @Test("It has an end, which the user can set", arguments: [(nil, 10), ("2", 2), ("15", 15)])
    func end(limit: String?, count: Int) async throws {
        let environment = limit.map { ["AWS_MAX_ATTEMPTS": $0] } ?? [:]
        for answer in Self.words {
            let wire = ScriptedWire(Array(repeating: .success(answer), count: 20))
            let client = client(wire, Pauses(), try settings(environment))
            let error = await #expect(throws: ServiceError.self) {
                try await client.json(.ssm, target: "A.B", .object([:]))
            }
            #expect(error?.kind == .throttled && error?.hint != nil)
            #expect(wire.requests.count == count)
        }
    }

    @Test("Whoever asked is told of each try")
    func notes() async throws {
        let notes = Notes()
        let wire = ScriptedWire(
            [Self.words[0], Self.words[1], WireResponse(200, "{}")].map { .success($0) }
        )
        let exchange = Exchange(
            Access(),
            attempts: 3,
            wire: wire,
            note: { notes.add($0) },
            pause: { _ in }
        )
        let client = AWSClient(region: "eu-central-1", exchange, .nobody)
        _ = try await client.json(.ssm, target: "A.StartSession", .object([:]))
        #expect(notes.all.map(\.code) == ["RequestLimitExceeded", "ThrottlingException"])
        #expect(notes.all.allSatisfy { $0.kind == .throttled })
    }
}

private final class Notes: Sendable {
    private let errors = Mutex<[ServiceError]>([])
    var all: [ServiceError] { errors.withLock { $0 } }
    func add(_ error: ServiceError) { errors.withLock { $0.append(error) } }
}
