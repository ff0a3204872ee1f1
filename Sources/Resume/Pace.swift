/// How much goes into a connection at a time: as much as is through in a quarter of a second.
///
/// The other side acknowledges each piece when all of it has come. In large ones over a slow line
/// the acknowledgements would be seconds apart, and such silence would be taken for a broken link.
struct Pace {
    typealias Instant = ContinuousClock.Instant

    static let least = 4096
    static let most = 65_536
    private static let time = Duration.milliseconds(250)

    /// Bytes in a piece.
    private(set) var piece = Pace.least
    /// Since when something is under way that was not acknowledged.
    private var since: Instant?

    /// A piece is being sent.
    mutating func noteSent(_ now: Instant) { since = since ?? now }

    /// Bytes have arrived.
    /// - Parameters:
    ///   - count: how many, since it was last said.
    ///   - isAll: whether nothing more is under way.
    ///   - now: the time.
    mutating func noteArrived(_ count: Int, isAll: Bool, _ now: Instant) {
        guard let since, count > 0 else { return }
        let fitting = Double(count) * (Pace.time / max(now - since, .milliseconds(1)))
        let average = (Double(piece) + min(fitting, Double(Pace.most))) / 2
        piece = max(Pace.least, Int(average))
        self.since = isAll ? nil : now
    }
}
