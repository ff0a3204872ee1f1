import AWS
import Testing

@testable import EC2

private let id = "i-0123456789abcdef0"
private let vpc = "vpc-1"

/// Endpoints are remembered, and asked for by one of many.
struct KnownEndpointsTests {
    private let cache = TestCache()

    private func inventory(_ caller: ScriptedCaller) -> Inventory {
        Inventory(
            [.init(caller, InventoryScope(profile: "p", region: caller.region))],
            cache: InventoryCache(environment: cache.environment, home: nil),
            table: UserTable(),
            clock: { cache.now }
        )
    }

    private func caller(_ endpoints: String...) -> ScriptedCaller {
        let items = endpoints.map {
            "<item><instanceConnectEndpointId>\($0)</instanceConnectEndpointId>"
                + "<dnsName>\($0).example</dnsName><subnetId>subnet-1</subnetId></item>"
        }
        let answer =
            "<DescribeInstanceConnectEndpointsResponse><instanceConnectEndpointSet>"
            + items.joined()
            + "</instanceConnectEndpointSet></DescribeInstanceConnectEndpointsResponse>"
        let instances = EC2Answer.instances([EC2Answer.instance(id)])
        return ScriptedCaller(
            delay: .milliseconds(20),
            [
                "DescribeInstances": { _ in instances },
                "DescribeInstanceConnectEndpoints": { _ in answer },
            ]
        )
    }

    private let action = "DescribeInstanceConnectEndpoints"

    @Test("Those that there are, are asked for once an hour, by all processes together")
    func remembered() async throws {
        let aws = caller("eice-1", "eice-2")
        let known = try await inventory(aws).find(InstanceTarget(id))
        let found = try await withThrowingTaskGroup(of: KnownEndpoints.self) { group in
            for _ in 0..<30 {
                let inventory = inventory(aws)
                group.addTask { try await inventory.endpoints(in: vpc, of: known) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found.count == 30 && found.allSatisfy { $0 == found[0] })
        #expect(found[0].endpoints.map(\.id) == ["eice-1", "eice-2"])
        #expect(found[0].endpoints[0].name == "eice-1.example")
        #expect(aws.count(action) == 1)
        cache.pass(3600)
        #expect(try await inventory(aws).endpoints(in: vpc, of: known) == found[0])
        #expect(aws.count(action) == 1)
        cache.pass(1)
        _ = try await inventory(aws).endpoints(in: vpc, of: known)
        #expect(aws.count(action) == 2)
    }

    @Test("Those that have turned out to be gone are asked for anew")
    func gone() async throws {
        let known = try await inventory(caller()).find(InstanceTarget(id))
        _ = try await inventory(caller("eice-1")).endpoints(in: vpc, of: known)
        cache.pass(60)
        let aws = caller("eice-2")
        let now = cache.now
        let found = try await inventory(aws).endpoints(in: vpc, of: known, newerThan: now)
        #expect(found.endpoints.map(\.id) == ["eice-2"] && found.seen == now)
        #expect(aws.count(action) == 1)
    }

    @Test("That there are none is believed by those who began at the same time alone")
    func none() async throws {
        let aws = caller()
        let known = try await inventory(aws).find(InstanceTarget(id))
        let (first, second) = (inventory(aws), inventory(aws))
        #expect(try await first.endpoints(in: vpc, of: known).endpoints.isEmpty)
        #expect(try await second.endpoints(in: vpc, of: known).endpoints.isEmpty)
        #expect(aws.count(action) == 1)
        cache.pass(4)
        #expect(try await inventory(aws).endpoints(in: vpc, of: known).endpoints.isEmpty)
        #expect(aws.count(action) == 2)
    }

    @Test("A new list of the instances does not lose them")
    func kept() async throws {
        let aws = caller("eice-1")
        let known = try await inventory(aws).find(InstanceTarget(id))
        _ = try await inventory(aws).endpoints(in: vpc, of: known)
        cache.pass(10)
        _ = try await inventory(aws).all(newerThan: cache.now)
        _ = try await inventory(aws).endpoints(in: vpc, of: known)
        #expect(aws.count(action) == 1)
        #expect(aws.count("DescribeInstances") == 2)
    }
}
