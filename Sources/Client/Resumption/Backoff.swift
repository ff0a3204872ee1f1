/// How long to wait between tries to connect: at first hardly, then up to 3 s, after ten minutes up
/// to 30 s; never so that a thousand clients come back in step.
struct Backoff {
    private static let first: [Duration] = [
        .zero, .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2),
    ]
    private static let patience = Duration.seconds(600)

    private var count = 0

    /// The next pause.
    /// - Parameters:
    ///   - elapsed: since the connection was lost.
    ///   - spent: how long the try took that has just failed, which counts as a part of the pause:
    ///     a network that is silent is tried without a break.
    ///   - random: decides the jitter.
    /// - Returns: zero and more.
    mutating func next(
        after elapsed: Duration,
        spent: Duration,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        defer { count += 1 }
        let pause: Duration
        if count < Backoff.first.count {
            pause = Backoff.first[count]
        } else {
            let range: ClosedRange<Int64> =
                elapsed < Backoff.patience ? 1_000...3_000 : 15_000...30_000
            pause = .milliseconds(Int64.random(in: range, using: &random))
        }
        return max(.zero, pause - spent)
    }
}
