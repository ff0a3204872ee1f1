import Foundation
import Synchronization
import TestSupport

/// Reads the command lines and environments of an account's processes, over and over, from another
/// thread: what anybody on the machine, or their owner, can see of them.
final class ProcessWatch: Sendable {
    private struct Seen {
        var isOver = false
        var words: Set<String> = []
        var variables: Set<String> = []
    }

    private let seen = Mutex(Seen())
    private let number: Int

    /// Begins to watch.
    init(_ user: LabUser) {
        number = user.number
        Thread.detachNewThread { [self] in
            while !seen.withLock(\.isOver) {
                look()
                usleep(5000)
            }
        }
    }

    /// Ends it.
    /// - Returns: each word of a command line, and each variable.
    func end() -> (words: Set<String>, variables: Set<String>) {
        seen.withLock { seen in
            seen.isOver = true
            return (seen.words, seen.variables)
        }
    }

    private func look() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for name in names where Int(name) != nil {
            let place = "/proc/\(name)"
            var facts = stat()
            guard stat(place, &facts) == 0, Int(facts.st_uid) == number else { continue }
            let (words, variables) = (texts("\(place)/cmdline"), texts("\(place)/environ"))
            seen.withLock { seen in
                seen.words.formUnion(words)
                seen.variables.formUnion(variables)
            }
        }
    }

    private func texts(_ path: String) -> [String] {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
