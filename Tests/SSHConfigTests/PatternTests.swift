import Testing

@testable import SSHConfig

struct PatternTests {
    static let rows: [(text: String, pattern: String, matches: Bool)] = [
        ("", "", true), ("", "*", true), ("", "?", false), ("a", "", false), ("a", "a", true),
        ("a", "A", false), ("abc", "a*", true), ("abc", "*c", true), ("abc", "a?c", true),
        ("abc", "?*", true), ("abc", "*?*?*?", true), ("abc", "*?*?*?*?", false),
        ("aXbXc", "a*b*c", true), ("aXbX", "a*b*c", false), ("a.b", "a?b", true),
        ("aaab", "*aab", true), ("mississippi", "*iss*ip*", true), ("abc", "**", true),
        ("a*c", "a*c", true), ("é", "??", true),
    ]

    @Test("Stars and question marks match as in ssh", arguments: rows)
    func one(_ row: (text: String, pattern: String, matches: Bool)) {
        #expect(
            Patterns.matches(Array(row.text.utf8)[...], Array(row.pattern.utf8)[...]) == row.matches
        )
    }

    @Test("A pattern of many stars takes no time to fail")
    func hostile() {
        let text = [UInt8](repeating: 0x61, count: 5_000)
        let pattern = Array(String(repeating: "*a", count: 500).utf8) + [0x62]
        let clock = ContinuousClock()
        let time = clock.measure { #expect(!Patterns.matches(text[...], pattern[...])) }
        #expect(time < .seconds(2))
    }

    static let lists: [(text: String, list: String, verdict: Patterns.Verdict)] = [
        ("a", "a", .match), ("a", "b", .none), ("a", "b,a", .match), ("a", "!a", .negated),
        ("a", "*,!a", .negated), ("a", "!b", .none), ("a", "!b,*", .match), ("a", "", .none),
        ("a", ",", .none), ("", ",a", .match), ("a", "a,", .match), ("a", "!a,a", .negated),
        ("a", String(repeating: "x", count: 1_023) + ",a", .none),
        ("a", String(repeating: "x", count: 1_022) + ",a", .match),
    ]

    @Test("Lists judge by the first negated match, else by any match", arguments: lists)
    func list(_ row: (text: String, list: String, verdict: Patterns.Verdict)) {
        #expect(Patterns.judge(Array(row.text.utf8), Array(row.list.utf8)) == row.verdict)
    }

    @Test("Host names match whatever their case is")
    func hosts() {
        #expect(
            Patterns.judgeHost(Array("Host.Example".utf8), Array("host.EXAMPLE".utf8)) == .match
        )
    }
}
