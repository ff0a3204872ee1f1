import Foundation
import Testing

@testable import SSHConfig

/// The completion scripts know every keyword, and no other.
struct CompletionTests {
    @Test(arguments: ["ec2sh.bash", "_ec2sh"])
    func keywords(script: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("config/completions/\(script)")
        let text = try String(contentsOf: file, encoding: .utf8)
        let opening = script == "_ec2sh" ? "names=(\n        AddKeysToAgent" : "\"AddKeysToAgent"
        let start = try #require(text.range(of: opening)).lowerBound
        let list = text[start...].prefix { $0 != ")" }.split { $0 == "\"" }
        let words = try #require(list.first { $0.contains("XAuthLocation") })
            .split(whereSeparator: \.isWhitespace).filter { $0 != "names=(" }
        let hidden: [Keyword] = [.host, .match, .include]
        let known = Keyword.allCases.filter { !hidden.contains($0) }
            .map(KeywordTable.name(of:))
        #expect(Set(words.map { $0.lowercased() }) == Set(known))
        #expect(words.count == known.count)
    }
}
