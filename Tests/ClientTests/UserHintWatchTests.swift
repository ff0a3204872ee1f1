import Posix
import Testing

@testable import Client

/// A stream that keeps what is written, taking at most so many bytes at a time.
private final class Kept: ByteEndpoint {
    let number: Int32? = nil
    var bytes: [UInt8] = []
    var isClosed = false
    private let most: Int

    init(most: Int = .max) { self.most = most }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Attempt<Int> { .done(0) }
    func write(_ bytes: UnsafeRawBufferPointer) -> Attempt<Int> {
        self.bytes += bytes.prefix(most)
        return .done(min(bytes.count, most))
    }
    func close() { isClosed = true }
}

@Suite("The first output of a guessed user")
struct UserHintWatchTests {
    private static let hint =
        "Please login as the user \"ubuntu\" rather than the user \"root\".\n\n"

    /// Writes a text in pieces, each again until it is taken as the relay does.
    private func pass(_ text: String, cut: Int, most: Int = .max) throws -> (String, String?) {
        let kept = Kept(most: most)
        let watch = UserHintWatch()
        let stream = watch.over(kept)
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let piece = bytes[start..<min(start + cut, bytes.count)]
            let attempt = try piece.withUnsafeBytes { try stream.write($0) }
            if case .done(let count) = attempt { start += count }
        }
        stream.close()
        #expect(kept.isClosed)
        return (String(decoding: kept.bytes, as: UTF8.self), watch.user)
    }

    @Test("names the right user and is not the command's output", arguments: 1...80)
    func found(cut: Int) throws {
        let (output, user) = try pass(Self.hint, cut: cut)
        #expect(user == "ubuntu")
        #expect(output.isEmpty)
    }

    @Test(
        "is passed on unchanged when it is something else",
        arguments: [
            "", "P", "Please", "Please log out", "Please login as\n", "hello\nworld\n",
            "x Please login as the user \"a\" rather than the user \"b\".",
            String(repeating: "Please login as ", count: 200),
        ]
    )
    func passedOn(text: String) throws {
        for cut in [1, 2, 3, 7, 16, 4096] {
            for most in [1, 5, Int.max] {
                let (output, user) = try pass(text, cut: cut, most: most)
                #expect(output == text, "cut \(cut), most \(most)")
                #expect(user == nil)
            }
        }
    }
}
