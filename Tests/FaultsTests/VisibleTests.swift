import Testing

@testable import Faults

@Suite("Text from outside")
struct VisibleTests {
    @Test(
        "is shown with control bytes spelled out",
        arguments: [
            ("plain text", "plain text"),
            ("tab\tand newline\n", "tab\tand newline\n"),
            ("back\\slash", "back\\\\slash"),
            ("\u{1b}[31mred", "\\033[31mred"),
            ("nul\0del\u{7f}", "nul\\000del\\177"),
            ("\u{e9}", "\\303\\251"),
            ("", ""),
        ]
    )
    func shown(text: String, expected: String) {
        #expect(visible(text.utf8) == expected)
    }
}
