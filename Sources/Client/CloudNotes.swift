internal import AWS
internal import Faults
internal import Synchronization

/// What the AWS side has to say for `-v`: noted from any thread, printed by the loop's.
final class CloudNotes: Sendable {
    private let lines = Mutex<[String]>([])
    private let throttled = Mutex(false)

    /// Whether AWS has refused something because it is asked too much.
    var isThrottled: Bool { throttled.withLock { $0 } }

    /// Keeps why a call is made once more.
    func add(_ error: ServiceError) {
        if error.kind == .throttled { throttled.withLock { $0 = true } }
        add("\(error.summary); trying again")
    }

    /// Keeps a sentence.
    func add(_ line: String) { lines.withLock { $0.append(line) } }

    /// Prints what was noted since the last time.
    func print(to trace: Trace) {
        let new = lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
        for line in new { trace.debug(.debug1, .aws, line) }
    }
}
