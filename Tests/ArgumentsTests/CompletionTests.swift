import Foundation
import Testing

@testable import Arguments

/// The completion scripts know every flag, which of them takes a value, and every verb.
struct CompletionTests {
    private func script(_ name: String) throws -> String {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("config/completions/\(name)")
        return try String(contentsOf: file, encoding: .utf8)
    }

    /// Those that mean something.
    private var rows: [Flag.Row] {
        Flag.table.filter { ![.protocol1, .protocol2, .ignoredPrivilegedPort].contains($0.flag) }
    }

    @Test func bash() throws {
        let text = try script("ec2sh.bash")
        let offered = try #require(text.firstMatch(of: /-\{(?<list>[^}]+)\}/)).list
            .split(separator: ",").map(String.init)
        #expect(Set(offered) == Set(rows.map { String($0.flag.rawValue) }))
        let valued = try #require(text.firstMatch(of: /valued=(?<list>\w+)/)).list
        let expected = rows.filter { $0.value != nil }.map(\.flag.rawValue)
        #expect(Set(valued) == Set(expected) && valued.count == expected.count)
    }

    @Test func zsh() throws {
        let text = try script("_ec2sh")
        for row in rows {
            let letter = row.flag.rawValue
            let plus = row.value == nil ? "" : "\\+"
            let pattern = try Regex("'(?:\\([^)]*\\))?\\*?-\(letter)\(plus)\\[")
            #expect(text.contains(pattern), "-\(letter)")
        }
        #expect(text.matches(of: /\n        '(?:\([^)]*\))?\*?-\w/).count == rows.count)
    }

    @Test(arguments: ["ec2sh.bash", "_ec2sh"])
    func verbs(name: String) throws {
        let text = try script(name)
        for verb in Verb.allCases {
            #expect(text.contains(verb.rawValue))
            for option in verb.longOptions { #expect(text.contains("--\(option.rawValue)")) }
        }
    }
}
