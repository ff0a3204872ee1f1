internal import Posix

/// Something that is asked of AWS beside the loop, and the answer when it is there.
///
/// Dropping the call gives it up.
final class CloudCall<Value: Sendable>: Source {
    private let mailbox: Mailbox<Result<Value, any Error>>
    private let task: Task<Void, Never>
    private var answer: Result<Value, any Error>?

    /// Asks.
    /// - Parameter work: runs beside the loop.
    /// - Throws: ``Posix/SystemError`` when there is no descriptor left.
    init(_ work: @escaping @Sendable () async throws -> Value) throws(SystemError) {
        let mailbox = try Mailbox<Result<Value, any Error>>()
        self.mailbox = mailbox
        task = Task.detached {
            do {
                mailbox.send(.success(try await work()))
            } catch {
                mailbox.send(.failure(error))
            }
        }
    }

    deinit { task.cancel() }

    /// Tells whether the answer is there.
    /// - Returns: the answer, as often as it is asked for.
    /// - Throws: what the work has thrown.
    func progress() throws -> Attempt<Value> {
        if answer == nil { answer = mailbox.take().first }
        guard let answer else { return .again }
        return .done(try answer.get())
    }

    // MARK: - Source

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) {
        if answer == nil { _ = set.watch(mailbox.number, .read) }
    }
    func ready(_ set: PollSet, now: Instant) {}
}

extension Poller {
    /// Takes turns until a call is answered.
    /// - Parameters:
    ///   - call: the call.
    ///   - deadline: when to stop waiting; nil for never.
    /// - Returns: the answer; nil when the deadline passed first.
    /// - Throws: what the call or any source in the loop throws.
    func wait<Value>(for call: CloudCall<Value>, until deadline: Instant? = nil) throws -> Value? {
        add(call)
        defer { remove(call) }
        return try wait(until: deadline) { try call.progress() }
    }
}
