internal import Faults
internal import Synchronization

/// What the AWS side has to say for `-v`: noted from any thread, printed by the loop's.
final class CloudNotes: Sendable {
    private let lines = Mutex<[String]>([])

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
