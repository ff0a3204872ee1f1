internal import EC2
internal import Posix

/// Looks at the first output of a login whose user was a guess, for the server's word that another
/// user is meant (cloud-init's forced command); that word is not the command's output.
final class UserHintWatch {
    /// The user the server named.
    private(set) var user: String?

    /// Puts the watch before an output stream.
    func over(_ output: any ByteEndpoint) -> any ByteEndpoint { WatchedOutput(self, output) }

    fileprivate func note(_ user: String) { self.user = user }
}

/// An output stream that holds back what may be the beginning of the server's word.
private final class WatchedOutput: ByteEndpoint {
    private static let opening = Array("Please login as".utf8)
    /// The sentence is one line; a longer one is something else.
    private static let longest = 512

    private let watch: UserHintWatch
    private let output: any ByteEndpoint
    private var held: [UInt8] = []
    private var isOver = false

    init(_ watch: UserHintWatch, _ output: any ByteEndpoint) {
        self.watch = watch
        self.output = output
    }

    var number: Int32? { output.number }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        unsafe try output.read(into: buffer)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        if !isOver {
            let taken = unsafe hold(bytes)
            if !isOver { return .done(taken) }
        }
        if watch.user != nil { return .done(bytes.count) }
        guard !held.isEmpty else { return unsafe try output.write(bytes) }
        try flush()
        return held.isEmpty ? unsafe try output.write(bytes) : .again
    }

    func close() {
        isOver = true
        do throws(SystemError) { try flush() } catch { held = [] }
        output.close()
    }

    /// Takes bytes as long as they may be the sentence.
    /// - Returns: the bytes taken.
    private func hold(_ bytes: UnsafeRawBufferPointer) -> Int {
        let before = held.count
        unsafe held.append(contentsOf: bytes)
        if zip(held, WatchedOutput.opening).allSatisfy({ $0 == $1 }) {
            if let user = UserHint.user(in: held) {
                watch.note(user)
                held = []
                isOver = true
                return bytes.count
            }
            let isWhole = held.contains(UInt8(ascii: "\n")) || held.count >= WatchedOutput.longest
            if !isWhole { return bytes.count }
        }
        // It is something else: what was held goes out first, then these bytes.
        held.removeLast(held.count - before)
        isOver = true
        return 0
    }

    private func flush() throws(SystemError) {
        while !held.isEmpty {
            let attempt = unsafe held.withUnsafeBytes { bytes in
                Result { () throws(SystemError) in unsafe try output.write(bytes) }
            }
            guard case .done(let count) = try attempt.get() else { return }
            held.removeFirst(count)
        }
    }
}
