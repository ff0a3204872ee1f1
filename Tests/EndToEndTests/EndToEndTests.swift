import TestSupport
import Testing

/// Whether there is a lab to test in; every other suite here is skipped without one.
struct LabTests {
    @Test("the lab is here when it is required")
    func present() {
        #expect(Lab.isHere || !Lab.isRequired)
        if !Lab.isHere { print("end-to-end tests are skipped: \(Lab.skipReason)") }
    }

    @Test(
        "every instance answers with its own banner",
        .enabled(if: Lab.isHere, "\(Lab.skipReason)")
    )
    func banners() throws {
        let lab = try Lab.here()
        #expect(Set(lab.instances.map(\.banner)).count >= 5)
    }
}
