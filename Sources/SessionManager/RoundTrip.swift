/// How long to wait for an acknowledgement before sending once more, as in TCP (RFC 6298), with the
/// limits of AWS's client.
struct RoundTrip {
    private static let first = Duration.milliseconds(200)
    private static let least = Duration.milliseconds(10)
    private static let most = Duration.seconds(1)

    private var smoothed = Duration.milliseconds(100)
    private var variation = Duration.zero
    private var measured = RoundTrip.first
    private(set) var timeout = RoundTrip.first

    /// Takes in how long an acknowledgement took; nil for a message that was sent more than once, as
    /// nobody knows which one it answers (Karn's rule).
    mutating func note(_ time: Duration?) {
        if let time {
            let difference = time > smoothed ? time - smoothed : smoothed - time
            variation = variation * 3 / 4 + difference / 4
            smoothed = smoothed * 7 / 8 + time / 8
            measured = min(smoothed + max(RoundTrip.least, variation * 4), RoundTrip.most)
        }
        timeout = measured
    }

    /// Nothing came in time: waits twice as long, until something does.
    mutating func backOff() { timeout = min(timeout * 2, RoundTrip.most) }
}
