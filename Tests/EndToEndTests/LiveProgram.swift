import Foundation
import TestSupport

/// The near ends of a running program's standard input and output: a test talks to it.
final class LiveProgram: @unchecked Sendable {
    // Used by one thread at a time: the body's, then the test's.

    /// What did not come in time.
    struct Missing: Error { let text: String }

    private var input: Int32
    private let output: Int32
    private var unread = Data()

    fileprivate init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    deinit {
        closeInput()
        close(output)
    }

    /// Writes to its standard input, which stays open.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Foundation.write(input, bytes, bytes.count)
    }

    /// Closes its standard input.
    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Reads from its standard output up to the end of a text.
    /// - Returns: all of it, with the text.
    @discardableResult
    func read(until text: String, seconds: Double = 20) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            if let found = unread.range(of: Data(text.utf8)) {
                let part = unread[unread.startIndex..<found.upperBound]
                unread = unread[found.upperBound...]
                return String(decoding: part, as: UTF8.self)
            }
            guard receive(until: deadline) else { throw missing(text) }
        }
    }

    /// Waits for the end of its standard output.
    /// - Returns: whether it came in time.
    func outputEnds(seconds: Double = 20) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while receive(until: deadline) {}
        return Date() < deadline
    }

    private func receive(until deadline: Date) -> Bool {
        var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        let left = Int32(max(0, deadline.timeIntervalSinceNow * 1000))
        guard poll(&entry, 1, left) > 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Foundation.read(output, &buffer, buffer.count)
        if count <= 0 { return false }
        unread += buffer[..<count]
        return true
    }

    private func missing(_ text: String) -> Missing {
        Missing(text: "\(text) did not come: \(String(decoding: unread, as: UTF8.self))")
    }
}

extension Workplace {
    /// Starts a program as the user and talks to it on a thread of its own; when the body returns,
    /// the program's standard input ends.
    /// - Returns: what the body returns, and what the program did; its output is the body's.
    func live<Value: Sendable>(
        _ words: [String],
        limit: Duration = .seconds(60),
        _ body: @escaping @Sendable (LiveProgram) throws -> Value
    ) async throws -> (Value, ProgramRun) {
        let input = try pipe()
        let output = try pipe()
        let live = LiveProgram(input: input.write, output: output.read)
        let run = try await begin(
            words,
            input: .descriptor(input.read),
            output: .descriptor(output.write),
            limit: limit
        )
        // It alone has them now, and ends its output.
        close(input.read)
        close(output.write)
        let value: Value = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        defer { live.closeInput() }
                        return try body(live)
                    }
                )
            }
        }
        return (value, try await run.value)
    }

    private func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
