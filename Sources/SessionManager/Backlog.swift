/// The messages that nobody has acknowledged, in the order of their numbers.
///
/// Those in front were sent over the present websocket, the others wait for their turn on it:
///
///     oldest … sent, sent, sent │ waiting, waiting …
///
struct Backlog {
    /// One of them.
    struct Message {
        let frame: Frame
        let first: DataChannel.Instant
        var last: DataChannel.Instant
        var isRepeated = false
    }

    /// From the oldest on, with nil for what was acknowledged before it.
    private var messages: [Message?] = []
    /// Where the oldest stands; those before it are gone.
    private var start = 0
    /// The number of the message at `messages[start]`.
    private var number: Int64 = 0
    /// Where the first stands that waits.
    private var turn = 0
    /// How many there are.
    private(set) var count = 0
    /// How many of them were sent over the present websocket.
    private(set) var underWay = 0

    var isEmpty: Bool { count == 0 }

    /// Whether some wait for their turn on the present websocket.
    var hasWaiting: Bool { underWay < count }

    /// The one with the lowest number that was sent over the present websocket.
    var oldest: Message? { start < turn ? messages[start] : nil }

    /// Adds one that is sent now, or waits behind others; numbers have no gaps.
    mutating func append(_ frame: Frame, _ now: DataChannel.Instant, isSent: Bool) {
        if isEmpty { number = frame.sequenceNumber }
        messages.append(Message(frame: frame, first: now, last: now))
        count += 1
        if isSent {
            turn = messages.count
            underWay += 1
        }
    }

    /// Takes the first that waits, which is sent now.
    mutating func next(_ now: DataChannel.Instant) -> Frame? {
        while turn < messages.count {
            defer { turn += 1 }
            guard let frame = messages[turn]?.frame else { continue }
            messages[turn]?.last = now
            messages[turn]?.isRepeated = true
            underWay += 1
            return frame
        }
        return nil
    }

    /// A new websocket: all wait for their turn on it.
    mutating func rewind() {
        turn = start
        underWay = 0
    }

    /// Takes one out by its number; nil when it is not there.
    mutating func remove(_ wanted: Int64) -> Message? {
        let (offset, overflow) = wanted.subtractingReportingOverflow(number)
        guard !overflow, offset >= 0, offset < messages.count - start,
            let message = messages[start + Int(offset)]
        else { return nil }
        messages[start + Int(offset)] = nil
        count -= 1
        if start + Int(offset) < turn { underWay -= 1 }
        while start < messages.count, messages[start] == nil {
            start += 1
            number += 1
        }
        turn = max(turn, start)
        // Moves what is left to the front, once in a while.
        if start == messages.count || start >= 1024 {
            messages.removeFirst(start)
            turn -= start
            start = 0
        }
        return message
    }

    /// The oldest was sent once more.
    mutating func noteOldestSent(_ now: DataChannel.Instant) {
        guard start < turn else { return }
        messages[start]?.last = now
        messages[start]?.isRepeated = true
    }

    /// What was sent may have arrived late, for all that is known.
    mutating func excuse(_ now: DataChannel.Instant) {
        for index in start..<turn {
            messages[index]?.last = now
            messages[index]?.isRepeated = true
        }
    }
}
