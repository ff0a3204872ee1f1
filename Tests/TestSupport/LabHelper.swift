import Foundation

/// A helper program of the lab that takes orders as lines and answers with lines of JSON.
///
/// It ends when its standard input does: with the test process at the latest. Made to be kept in a
/// static constant; hence it is never stopped before.
public final class LabHelper: Sendable {
    private let orders: FileHandle
    private let answers: FileHandle

    /// Starts one of the programs in `Tests/Lab`.
    /// - Parameters:
    ///   - name: its file name.
    ///   - arguments: its arguments.
    /// - Throws: when it cannot be started.
    public init(_ name: String, _ arguments: [String] = []) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["python3", tests.appendingPathComponent("Lab/\(name)").path] + arguments
        // A program that another test leaves behind must not keep this one alive.
        for end in [input.fileHandleForWriting, output.fileHandleForReading] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        orders = input.fileHandleForWriting
        answers = output.fileHandleForReading
    }

    /// Gives an order.
    /// - Parameter line: one line of JSON, without its end.
    /// - Throws: when it cannot be sent.
    public func order(_ line: String) throws {
        try orders.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Reads answers until the program ends, one call for each line; does not return before.
    /// - Parameter body: takes a line and says whether to go on.
    public func readAnswers(_ body: (String) -> Bool) {
        var unread: [UInt8] = []
        while true {
            let more = answers.availableData
            if more.isEmpty { return }
            unread += more
            while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                if !body(line) { return }
            }
        }
    }
}
