import Testing

@testable import Client

struct BackoffTests {
    /// Pauses after the first five, which are the same for everybody.
    private func later(elapsed: Duration) -> [Duration] {
        var backoff = Backoff()
        var random = SystemRandomNumberGenerator()
        let pauses = (0..<1000).map { _ in
            backoff.next(after: elapsed, spent: .zero, using: &random)
        }
        #expect(
            pauses.prefix(5) == [
                .zero, .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2),
            ]
        )
        return Array(pauses.dropFirst(5))
    }

    @Test(arguments: [
        (Duration.seconds(5), Duration.seconds(1), Duration.seconds(3)),
        (.seconds(599), .seconds(1), .seconds(3)),
        (.seconds(600), .seconds(15), .seconds(30)),
    ])
    func `pauses grow, and then vary within bounds`(
        elapsed: Duration,
        least: Duration,
        most: Duration
    ) {
        let pauses = later(elapsed: elapsed)
        #expect(pauses.allSatisfy { $0 >= least && $0 <= most })
        // A thousand clients do not come back in step.
        #expect(Set(pauses).count > 100)
    }

    @Test func `the time that a try took is a part of the pause`() {
        var backoff = Backoff()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 { _ = backoff.next(after: .zero, spent: .zero, using: &random) }
        let rest = backoff.next(after: .zero, spent: .milliseconds(1500), using: &random)
        #expect(rest == .milliseconds(500))
        #expect(backoff.next(after: .zero, spent: .seconds(3), using: &random) == .zero)
    }
}
