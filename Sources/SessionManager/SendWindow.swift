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

    /// A new websocket, of which nothing is known yet.
    mutating func restart() { size = SendWindow.first }

    /// One was not acknowledged in time.
    mutating func noteLoss() {
        threshold = max(size / 2, SendWindow.least)
        size = threshold
    }
}

/// How many bytes a message carries: few at first, more once a stream has flown for a while.
///
/// A message costs the same whatever it carries. The agent's own have 1024 bytes; it takes any size,
/// and it was seen to take 27 MB/s in pieces of 8192.
struct PayloadSize {
    static let least = 1400
    static let most = 8192
    /// Full messages that arrive before the next ones are larger.
    private static let patience = 64

    private(set) var bytes = PayloadSize.least
    private var arrived = 0

    /// A message of so many bytes has arrived.
    mutating func noteAcknowledged(_ count: Int) {
        if count < bytes { return }
        arrived += 1
        if arrived < PayloadSize.patience { return }
        arrived = 0
        bytes = min(bytes * 2, PayloadSize.most)
    }

    /// The websocket broke: begins again with what goes everywhere.
    mutating func reset() { self = PayloadSize() }
}
