import Foundation
import TestSupport
import Testing

@testable import Resume

/// A client against a host in virtual time, with links that break anywhere.
///
/// `RESUME_RUNS` sets how many runs there are (60); each has a seed of its own.
@Suite struct BrokenLinkTests {
    private static let runs =
        ProcessInfo.processInfo.environment["RESUME_RUNS"].flatMap(UInt64.init) ?? 60

    private func plan(_ seed: UInt64) -> World.Plan {
        var random = Seeded(seed &* 7919)
        var plan = World.Plan(seed: seed)
        plan.input = random.bytes(Int.random(in: 0...300_000, using: &random))
        plan.script.output = random.bytes(Int.random(in: 0...300_000, using: &random))
        plan.script.errorOutput = random.bytes(Int.random(in: 0...30_000, using: &random))
        plan.script.appetite = [400, 50_000].randomElement(using: &random) ?? 400
        plan.script.status = UInt32.random(in: 0...255, using: &random)
        plan.forwarded = random.bytes(Int.random(in: 0...1, using: &random) * 50_000)
        plan.window = [65_536, 100_000, 1 << 20].randomElement(using: &random) ?? 65_536
        plan.cutOneIn = [3, 8, 20].randomElement(using: &random) ?? 10
        return plan
    }

    @Test("Thousands of cuts anywhere change no byte and no status, and nothing runs twice")
    func cuts() {
        var cuts = 0
        for seed in 1...BrokenLinkTests.runs {
            let plan = plan(seed)
            let world = World(plan)
            world.run()
            cuts += world.cutCount
            guard world.differences == [] else {
                Issue.record("seed \(seed): \(world.differences.joined(separator: "; "))")
                return
            }
        }
        #expect(cuts >= Int(BrokenLinkTests.runs) * 25)
    }
}
