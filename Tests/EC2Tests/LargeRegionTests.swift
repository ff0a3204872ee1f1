import AWS
import Foundation
import Posix
import Synchronization
import Testing

@testable import EC2

/// A region of which no list has an end: what is in it is found by filters alone.
private final class LargeRegion: Sendable {
    private let instances: Mutex<[(id: String, name: String)]>
    private let refused: String?
    let cache = TestCache()

    init(_ instances: [(id: String, name: String)], refusing refused: String? = nil) {
        self.instances = Mutex(instances)
        self.refused = refused
    }

    func set(_ new: [(id: String, name: String)]) { instances.withLock { $0 = new } }

    func caller(delay: Duration = .zero) -> ScriptedCaller {
        ScriptedCaller(
            delay: delay,
            [
                "DescribeInstances": { [self] fields in
                    let all = instances.withLock { $0 }
                    func answer(_ found: [(id: String, name: String)]) -> String {
                        EC2Answer.instances(found.map { EC2Answer.instance($0.id, name: $0.name) })
                    }
                    if let names = EC2Answer.filter("tag:Name", in: fields) {
                        #expect(names.count <= 200)
                        if let refused, names.contains(refused) {
                            throw ServiceError(
                                action: "ec2:DescribeInstances",
                                code: "InvalidParameterValue",
                                message: "",
                                status: 400
                            )
                        }
                        return answer(all.filter { names.contains($0.name) })
                    }
                    if let ids = EC2Answer.filter("instance-id", in: fields) {
                        #expect(ids.count <= 200)
                        return answer(all.filter { ids.contains($0.id) })
                    }
                    let first = all.first.map { [EC2Answer.instance($0.id, name: $0.name)] } ?? []
                    return EC2Answer.instances(first, next: "more")
                }
            ]
        )
    }

    func inventory(_ caller: ScriptedCaller) -> Inventory {
        Inventory(
            [.init(caller, InventoryScope(profile: "p", region: caller.region))],
            cache: InventoryCache(environment: cache.environment, home: nil),
            table: UserTable(),
            clock: { [cache] in cache.now }
        )
    }

    func find(_ word: String, _ caller: ScriptedCaller) async throws -> String {
        try await inventory(caller).find(InstanceTarget(word)).instance.id
    }
}

private func id(_ number: Int) -> String { "i-0000000000000\(1000 + number)" }

/// More than five pages of a thousand: what is asked for, who shares it, and what may be believed.
struct LargeRegionTests {
    @Test(
        "300 processes that ask at once for 200 instances of a large region ask a handful of times"
    )
    func herd() async throws {
        let region = LargeRegion((0..<200).map { (id($0), "host-\($0)") })
        let aws = region.caller(delay: .milliseconds(50))
        let found = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let which = number % 200
                    let word = number % 2 == 0 ? id(which) : "host-\(which)"
                    return (try? await region.find(word, aws)) == id(which)
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(found == 300)
        // Five pages, then ids and names each in one question; a late process or two may come after.
        #expect(aws.count("DescribeInstances") <= 15, "\(aws.count("DescribeInstances"))")
        let before = aws.count("DescribeInstances")
        #expect(try await region.find("host-7", aws) == id(7))
        #expect(aws.count("DescribeInstances") == before)
    }

    @Test("A name in the part that was read may stand for another instance in the rest, too")
    func notGuessed() async throws {
        let region = LargeRegion([(id(1), "web"), (id(2), "web")])
        let aws = region.caller()
        // The first of them is in the list.
        #expect(try await region.find(id(1), aws) == id(1))
        #expect(aws.count("DescribeInstances") == 5)
        let kept = try #require(InventoryCache(environment: region.cache.environment, home: nil))
        let scope = InventoryScope(profile: "p", region: "eu-west-1")
        let now = region.cache.now
        #expect(kept.find(InstanceTarget(id(1)), in: [scope], now: now) != nil)
        #expect(kept.find(InstanceTarget("web"), in: [scope], now: now) == nil)
        for _ in 0..<2 {
            await #expect(throws: InstanceLookupError.self) { try await region.find("web", aws) }
        }
        #expect(aws.count("DescribeInstances") == 6)
    }

    @Test("A name that has gone to another instance is that one's alone")
    func moved() async throws {
        let region = LargeRegion([(id(0), "x"), (id(1), "web")])
        let aws = region.caller()
        #expect(try await region.find("web", aws) == id(1))
        region.set([(id(0), "x"), (id(1), "old"), (id(2), "web")])
        #expect(try await region.find("web", aws) == id(1))
        region.cache.pass(3700)
        #expect(try await region.find("web", aws) == id(2))
        let count = aws.count("DescribeInstances")
        #expect(try await region.find("web", aws) == id(2))
        #expect(aws.count("DescribeInstances") == count)
    }

    @Test("A name that nobody has is asked for once by each process that begins later")
    func missing() async throws {
        let region = LargeRegion([(id(0), "x")])
        let aws = region.caller()
        for count in 6...8 {
            await #expect(throws: InstanceLookupError.self) { try await region.find("no", aws) }
            #expect(aws.count("DescribeInstances") == count)
        }
        let early = region.inventory(aws)
        region.cache.pass(1)
        _ = try? await region.find("no", aws)
        _ = try? await early.find(InstanceTarget("no"))
        #expect(aws.count("DescribeInstances") == 9)
    }

    @Test("What another process waits for harms nobody, be it refused, torn or of any length")
    func wishes() async throws {
        let region = LargeRegion([(id(0), "x"), (id(1), "web")], refusing: "bad")
        let aws = region.caller()
        let scope = InventoryScope(profile: "p", region: "eu-west-1")
        let kept = try #require(InventoryCache(environment: region.cache.environment, home: nil))
        _ = try await region.find("x", aws)
        let wishes = kept.wishes(scope)
        wishes.leave("bad")
        let count = aws.count("DescribeInstances")
        #expect(try await region.find("web", aws) == id(1))
        #expect(aws.count("DescribeInstances") == count + 2)
        #expect(wishes.take(most: 10).isEmpty)
        wishes.leave("a\n\"b\u{7f}")
        wishes.leave("x")
        #expect(wishes.take(most: 10) == ["a\n\"b\u{7f}", "x"])
        try Data("{\n\"x\n12\n\"y\"\n\u{0}".utf8).write(to: URL(fileURLWithPath: wishes.path))
        #expect(wishes.take(most: 10) == ["y"])
        for _ in 0..<3000 { wishes.leave(String(repeating: "n", count: 90)) }
        #expect(try fileFacts(path: wishes.path).size < 70_000)
        #expect(wishes.take(most: 10).count == 10)
    }

    @Test(
        "Words are put together by filter, two hundred in a question",
        arguments: [
            ([], 0, []), (["i-0123456789abcdef0", "i-0123456789abcdef1"], 0, [("instance-id", 2)]),
            (
                ["web", "db", "web", "i-0123456789abcdef0"], 0,
                [("tag:Name", 2), ("instance-id", 1)]
            ),
            (["web", "a.b", "c.d"], 1, [("private-dns-name", 2)]), (["web"], 1, []),
            (
                (0..<450).map { "n\($0)" }, 0,
                [("tag:Name", 200), ("tag:Name", 200), ("tag:Name", 50)]
            ),
        ] as [([String], Int, [(String, Int)])]
    )
    func merged(words: [String], round: Int, expected: [(String, Int)]) {
        let filters = InstanceFilter.merged(words.map(InstanceTarget.init), round: round)
        #expect(filters.map(\.name) == expected.map(\.0))
        #expect(filters.map(\.values.count) == expected.map(\.1))
    }
}
