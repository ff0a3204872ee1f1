internal import JSONText
internal import Posix

/// The words of processes that wait for a region's lock: who has it asks for them all together.
///
/// A line of JSON each, in a file beside the region's. One that gets lost, or is asked for twice,
/// does no harm: its process asks by itself when its turn comes.
struct InventoryWishes: Sendable {
    let path: String

    /// Leaves a word for whoever asks AWS next.
    func leave(_ word: String) {
        let size = (try? fileFacts(path: path, followingLinks: false).size) ?? 0
        guard size < mostBytes else { return }
        let line = Array(JSON(.string(word)).text.utf8) + [lineEnd]
        try? appendToFile(path) { _ in line }
    }

    /// Takes what was left, at most so many words; the caller has the region's lock.
    func take(most: Int) -> [String] {
        let bytes = CacheDirectory.read(path, limit: 2 * mostBytes) { _ in }
        guard let bytes else { return [] }
        try? removeFile(path)
        let words = bytes.split(separator: lineEnd).compactMap { line in
            (try? JSON.parse(Array(line)))?.string
        }
        return Array(words.prefix(most))
    }

    private let mostBytes = 64 << 10
}

private let lineEnd = UInt8(ascii: "\n")
