internal import Posix

/// Brings values of the asynchronous side to the loop, and hands each on as soon as it is there.
final class Inbox<Value: Sendable>: Source {
    private let mailbox: Mailbox<Value>
    private let take: (Value) -> Void

    /// Makes an empty one.
    /// - Parameter take: gets each value, in the loop's thread.
    /// - Throws: ``Posix/SystemError`` when there is no descriptor left.
    init(_ take: @escaping (Value) -> Void) throws(SystemError) {
        mailbox = try Mailbox()
        self.take = take
    }

    /// Leaves a value; from any thread.
    var send: @Sendable (Value) -> Void {
        let mailbox = mailbox
        return { mailbox.send($0) }
    }

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) { _ = set.watch(mailbox.number, .read) }
    func ready(_ set: PollSet, now: Instant) { mailbox.take().forEach(take) }
}

extension Poller {
    /// Takes turns until something is found out beside the loop.
    /// - Parameters:
    ///   - limit: how long to wait; nil for as long as it takes.
    ///   - work: runs beside the loop.
    /// - Returns: nil when the time passed first.
    /// - Throws: what a source in the loop throws; ``Posix/SystemError``.
    func wait<Value: Sendable>(
        within limit: Duration? = nil,
        for work: @escaping @Sendable () async -> Value
    ) throws -> Value? {
        var answer: Value?
        let inbox = try Inbox<Value> { answer = $0 }
        add(inbox)
        defer { remove(inbox) }
        let send = inbox.send
        let task = Task.detached { send(await work()) }
        defer { task.cancel() }
        return try wait(until: limit.map { readClock() + $0 }) {
            answer.map { .done($0) } ?? .again
        }
    }
}
