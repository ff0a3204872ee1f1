import TestSupport
import Testing

@testable import AWS

@Suite struct INIFileTests {
    @Test("Sections, names in any case, both delimiters and comments are read")
    func ordinary() throws {
        let file = try INIFile(
            Array(
                """
                # a comment
                [default]
                Region = eu-central-1   # no comment
                key: a=b
                empty =
                  ; a comment
                [profile "a b"] trailing words
                x = 1
                """.utf8
            )
        )
        #expect(file["default"]?.text("region") == "eu-central-1   # no comment")
        #expect(file["default"]?.text("key") == "a=b")
        #expect(file["default"]?.text("empty") == "")
        #expect(file["profile \"a b\""]?.text("x") == "1")
    }

    @Test("Deeper lines continue a value, or nest when it began with nothing")
    func deeper() throws {
        let text =
            "[services s]\nec2 =\n  endpoint_url = http://a\n\n  # c\n  b = c = d\nx = 1\n   2\n"
        let section = try #require(try INIFile(Array(text.utf8))["services s"])
        #expect(section["ec2"] == .nested(["endpoint_url": "http://a", "b": "c = d"]))
        #expect(section.text("x") == "1\n2")
    }

    @Test("What is in [DEFAULT] is in every section")
    func inherited() throws {
        let file = try INIFile(Array("[DEFAULT]\na = 1\nb = 2\n[x]\nb = 3\r\n".utf8))
        #expect(file["x"]?.text("a") == "1" && file["x"]?.text("b") == "3")
        #expect(file["DEFAULT"] == nil)
    }

    @Test(
        "What botocore refuses is refused, with its line",
        arguments: [
            ("a = 1", 1), ("[a]\n[a]", 2), ("[a]\nb=1\nB=2", 3), ("[a]\nb", 2), ("[a]\n = 1", 2),
            ("[a]\nb =\n  c", 2),
        ]
    )
    func refusals(text: String, line: Int) throws {
        let error = try #require(throws: INIError.self) { try INIFile(Array(text.utf8)) }
        #expect(error.line == line)
    }

    @Test(
        "Words are split as a shell would",
        arguments: [
            ("a  b", ["a", "b"]), ("a 'b c' \"d \\\" e\"", ["a", "b c", "d \" e"]),
            ("a\\ b \"\\n\" ''", ["a b", "\\n", ""]), ("x'y'\"z\"", ["xyz"]), ("", []),
        ]
    )
    func words(line: String, words: [String]) { #expect(shellWords(line) == words) }

    @Test("Open quotes are no words", arguments: ["'a", "\"a", "a\\", "\"a\\"])
    func openQuotes(line: String) { #expect(shellWords(line) == nil) }

    @Test("Whatever is in the file is read or refused")
    func fuzz() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(seed)
        let pieces = [
            "[", "]", "=", ":", "\n", " ", "#", "a", "\"", "[a]\n", "  b = c\n", "\u{e9}",
        ]
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<30, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let file = try? INIFile(Array(text.utf8))
            #expect(file?.sections.contains { $0.name.isEmpty } != true, "seed \(seed)")
            _ = SharedFiles(config: file, credentials: file)
        }
    }
}
