import Foundation
import Testing

@testable import Client

struct CommandMarkTests {
    private let begin = "\u{1b}_ec2sh:w0rd:begin\u{1b}\\"
    private func end(_ status: String) -> String { "\u{1b}_ec2sh:w0rd:\(status)\u{1b}\\" }

    private func filtered(_ text: String, by size: Int) -> (shown: String, status: Int?) {
        var mark = CommandMark(word: "w0rd")
        var shown: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            shown += mark.filter(bytes[start..<min(start + size, bytes.count)])
        }
        shown += mark.finish()
        return (String(decoding: shown, as: UTF8.self), mark.status)
    }

    @Test(
        "Marks are taken out and the status is read, whatever the cuts",
        arguments: [1, 2, 3, 7, 100]
    )
    func marks(size: Int) {
        let rows: [(String, String, Int?)] = [
            (begin + "out" + end("0"), "out", 0), (begin + end("137"), "", 137),
            ("before" + begin + "a\r\nb" + end("7") + "after", "beforea\r\nbafter", 7),
            (begin + "no end", "no end", nil), ("", "", nil),
            // What only looks like one is shown.
            ("\u{1b}[1mbold\u{1b}[0m\u{1b}", "\u{1b}[1mbold\u{1b}[0m\u{1b}", nil),
            ("\u{1b}_ec2sh:other:0\u{1b}\\", "\u{1b}_ec2sh:other:0\u{1b}\\", nil),
            ("\u{1b}\u{1b}_ec2sh:w0rd:3\u{1b}\\", "\u{1b}", 3),
            ("\u{1b}_ec2sh:w0rd:", "\u{1b}_ec2sh:w0rd:", nil),
            (begin + "\u{1b}_ec2sh:w0" + end("1"), "\u{1b}_ec2sh:w0", 1),
        ]
        for (text, shown, status) in rows {
            let result = filtered(text, by: size)
            #expect(result.shown == shown, "\(text.debugDescription) by \(size)")
            #expect(result.status == status, "\(text.debugDescription) by \(size)")
        }
    }

    @Test("Output that begins like a mark and goes on for ever is not kept back for ever")
    func bounded() {
        var mark = CommandMark(word: "w0rd")
        let start = Array("\u{1b}_ec2sh:w0rd:".utf8)
        var shown = mark.filter(start)
        shown += mark.filter(Array(repeating: UInt8(ascii: "x"), count: 200))
        #expect(shown.count > 150)
    }

    @Test(
        "A shell runs the command between the marks, with its own status",
        arguments: [
            ("echo \"it's\" $((40 + 2)); exit 7", "it's 42\n", 7), ("if", "", 2),
            ("kill -9 $$", "", 137), ("true", "", 0),
        ] as [(String, String, Int)]
    )
    func shell(command: String, shown: String, status: Int) throws {
        var mark = CommandMark(word: "w0rd")
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", mark.around(command)]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // It does not begin before it is told to.
        var seen = try #require(try output.fileHandleForReading.read(upToCount: 1))
        while !seen.suffix(2).elementsEqual([0x1b, UInt8(ascii: "\\")]) {
            seen += try #require(try output.fileHandleForReading.read(upToCount: 1))
        }
        #expect(mark.filter(seen) == [])
        try input.fileHandleForWriting.write(contentsOf: Data(CommandMark.go))
        let rest = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(String(decoding: mark.filter(rest), as: UTF8.self) == shown)
        #expect(mark.status == status)
    }
}
