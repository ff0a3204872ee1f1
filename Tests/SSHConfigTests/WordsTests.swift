import Testing

@testable import SSHConfig

struct WordsTests {
    static let lines: [(line: String, arguments: [String]?)] = [
        ("a b", ["a", "b"]), ("  a\t b  ", ["a", "b"]), ("", []), ("   ", []),
        ("\"a b\" c", ["a b", "c"]), ("'a b' c", ["a b", "c"]), ("a\"b c\"d", ["ab cd"]),
        ("\"\" x", ["", "x"]), ("''", [""]), ("\"a'b\"", ["a'b"]), ("'a\"b'", ["a\"b"]),
        ("a\\ b", ["a b"]), ("\"a\\ b\"", ["a\\ b"]), ("a\\\"b", ["a\"b"]), ("'a\\'b'", ["a'b"]),
        ("a\\\\b", ["a\\b"]), ("a\\nb", ["a\\nb"]), ("a\\", ["a\\"]), ("\\ ", [" "]),
        ("\"a", nil), ("a 'b", nil), ("\"a\\\"", nil),
        ("a #b c", ["a"]), ("#a", []), ("a#b", ["a#b"]), ("\"#a\" b", ["#a", "b"]),
        ("a\rb", ["a\rb"]),
    ]

    @Test("Arguments are split, quoted and cut at comments", arguments: lines)
    func split(_ row: (line: String, arguments: [String]?)) {
        let split = splitArguments(Array(row.line.utf8))
        #expect(split?.map { LosslessText.string($0) } == row.arguments)
    }

    @Test("A comment sign is nothing special where comments are not allowed")
    func noComment() {
        let split = splitArguments(Array("a #b".utf8), endsAtComment: false)
        #expect(split?.map { LosslessText.string($0) } == ["a", "#b"])
    }

    static let words: [(line: String, words: [String])] = [
        ("Port 22", ["Port", "22"]), ("Port=22", ["Port", "22"]), ("Port = 22", ["Port", "22"]),
        ("Port == 22", ["Port", "", "22"]), ("a  b\tc", ["a", "b", "c"]), ("  a", ["", "a"]),
        ("\"Port\" 22", ["Port", "22"]), ("a\"b c\" d", ["ab c", "d"]), ("\"a", []),
        ("host a=b", ["host", "a", "b"]), ("x ", ["x", ""]),
    ]

    @Test("Keywords and Match are split at blanks or one equals sign", arguments: words)
    func cursor(_ row: (line: String, words: [String])) {
        var cursor = WordCursor(Array(row.line.utf8))
        var words: [String] = []
        while let word = cursor.next() { words.append(LosslessText.string(word)) }
        #expect(words == row.words)
    }

    static let bytes: [[UInt8]] = [
        [], Array("plain".utf8), Array("naïve €🙂".utf8), [0xFF], [0xC3], [0x61, 0xE2, 0x82, 0x62],
        Array("\u{10FF80}".utf8), Array("\u{10FFFF}\u{10FF00}".utf8), [0xF4, 0x90, 0x80, 0x80],
        [0xED, 0xA0, 0x80], [0xC0, 0x80], Array(0...255),
    ]

    @Test("Text keeps every byte, UTF-8 or not", arguments: bytes)
    func lossless(_ bytes: [UInt8]) {
        let text = LosslessText.string(bytes)
        #expect(LosslessText.bytes(text) == bytes)
        if let plain = String(validating: bytes, as: UTF8.self), !bytes.contains(0xF4) {
            #expect(text == plain)
        }
    }
}
