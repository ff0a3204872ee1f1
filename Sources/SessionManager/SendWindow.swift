/// How many messages may be under way: more as they are acknowledged, half when one is lost.
///
/// The agent takes any number, the service in between may not; nobody says how many.
struct SendWindow {
    private static let first = 8.0
    private static let least = 2.0
    private static let most = 512.0

    private var size = SendWindow.first
    private var threshold = SendWindow.most

    /// Messages that may be under way.
    var messages: Int { Int(size) }

    /// One more has arrived.
    mutating func noteAcknowledged() {
        size = min(size + (size < threshold ? 1 : 1 / size), SendWindow.most)
    }

    /// One was not acknowledged in time.
    mutating func noteLoss() {
        threshold = max(size / 2, SendWindow.least)
        size = threshold
    }
}
