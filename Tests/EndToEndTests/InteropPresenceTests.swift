import TestSupport
import Testing

/// Whether the tools are here; the tests of one that is not are skipped and say so.
struct InteropPresenceTests {
    @Test("every tool is here when the lab is required", arguments: Tool.allCases)
    func present(tool: Tool) {
        #expect(tool.isHere || !Lab.isRequired)
    }
}
