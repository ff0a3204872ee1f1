internal import Posix

extension Poller {
    /// Takes turns until a helper has done its work.
    /// - Returns: what it gave.
    /// - Throws: what any source in the loop throws.
    func wait<Value>(watching helper: Helper<Value>) throws -> Value {
        let watch = HelperWatch(helper.number)
        add(watch)
        defer { remove(watch) }
        let value = try wait { () -> Attempt<Value> in
            helper.take().map { .done($0) } ?? .again
        }
        guard let value else { preconditionFailure("there is no deadline to pass") }
        return value
    }
}

/// Wakes the loop when a helper is done.
private final class HelperWatch: Source {
    private let number: Int32

    init(_ number: Int32) { self.number = number }

    var deadline: Instant? { nil }

    func watch(_ set: inout PollSet) { _ = set.watch(number, .read) }

    func ready(_ set: PollSet, now: Instant) {}
}
