/// The messages that nobody has acknowledged, in the order of their numbers.
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
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The one with the lowest number.
    var oldest: Message? { messages.indices.contains(start) ? messages[start] : nil }

    /// All, oldest first.
    var frames: [Frame] { messages[start...].compactMap { $0?.frame } }

    /// Adds one; numbers have no gaps.
    mutating func append(_ frame: Frame, _ now: DataChannel.Instant) {
        if isEmpty { number = frame.sequenceNumber }
        messages.append(Message(frame: frame, first: now, last: now))
        count += 1
    }

    /// Takes one out by its number; nil when it is not there.
    mutating func remove(_ wanted: Int64) -> Message? {
        let (offset, overflow) = wanted.subtractingReportingOverflow(number)
        guard !overflow, offset >= 0, offset < messages.count - start,
            let message = messages[start + Int(offset)]
        else { return nil }
        messages[start + Int(offset)] = nil
        count -= 1
        while start < messages.count, messages[start] == nil {
            start += 1
            number += 1
        }
        // Moves what is left to the front, once in a while.
        if start == messages.count || start >= 1024 {
            messages.removeFirst(start)
            start = 0
        }
        return message
    }

    /// The oldest was sent once more.
    mutating func noteOldestSent(_ now: DataChannel.Instant) {
        guard messages.indices.contains(start) else { return }
        messages[start]?.last = now
        messages[start]?.isRepeated = true
    }

    /// All were sent once more.
    mutating func noteSent(_ now: DataChannel.Instant) {
        for index in messages.indices.dropFirst(start) {
            messages[index]?.last = now
            messages[index]?.isRepeated = true
        }
    }
}
