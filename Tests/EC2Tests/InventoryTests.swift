import AWS
import Faults
import Foundation
import Posix
import Synchronization
import Testing

@testable import EC2

private let web = "i-0123456789abcdef0"
private let db = "i-0fedcba9876543210"

private func inventory(
    _ cache: TestCache,
    _ callers: ScriptedCaller...,
    table: UserTable = UserTable()
) -> Inventory {
    Inventory(
        callers.map { .init($0, InventoryScope(profile: "p", region: $0.region)) },
        cache: InventoryCache(environment: cache.environment, home: nil),
        table: table,
        clock: { cache.now },
        note: { note in cache.notes.withLock { $0.append(note) } }
    )
}

private func caller(_ instances: String..., region: String = "eu-west-1") -> ScriptedCaller {
    ScriptedCaller(region: region, ["DescribeInstances": { _ in EC2Answer.instances(instances) }])
}

struct InventoryTests {
    @Test("A new instance costs one question, a known one none, in this process and the next")
    func known() async throws {
        let cache = TestCache()
        let aws = caller(EC2Answer.instance(web, name: "web"))
        let first = try await inventory(cache, aws).find(InstanceTarget(web))
        #expect(first.instance.keyName == "my-key" && first.instance.zone == "eu-west-1b")
        #expect(first.instance.tags == ["Name": "web", "Team": "a&b"])
        #expect(first.instance.account == "123456789012" && first.region == "eu-west-1")
        for word in [
            web, "web", "tag:Team=a&b", "10.0.0.7", "IP-10-0-0-7.eu-west-1.compute.internal.",
        ] {
            #expect(try await inventory(cache, aws).find(InstanceTarget(word)) == first)
        }
        #expect(aws.count("DescribeInstances") == 1)
        let kept = try #require(InventoryCache(environment: cache.environment, home: nil))
        let scope = InventoryScope(profile: "p", region: "eu-west-1")
        #expect(kept.find(InstanceTarget("web"), in: [scope], now: cache.now) == first)
        #expect(kept.words(in: [scope]) == [web, "web"])
    }

    @Test("300 processes that ask at once for 100 new instances ask AWS once between them")
    func herd() async throws {
        let cache = TestCache()
        let ids = (0..<100).map { "i-0000000000000\(1000 + $0)" }
        let texts = ids.map { EC2Answer.instance($0) }
        let aws = ScriptedCaller(
            delay: .milliseconds(50),
            ["DescribeInstances": { _ in EC2Answer.instances(texts) }]
        )
        let found = await withTaskGroup(of: String?.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let target = InstanceTarget(ids[number % 100])
                    return try? await inventory(cache, aws).find(target).instance.id
                }
            }
            var found: [String] = []
            for await id in group { found += [id].compactMap { $0 } }
            return found
        }
        #expect(found.count == 300 && Set(found) == Set(ids))
        #expect(aws.count("DescribeInstances") == 1)
    }

    @Test("Processes that all find their facts old share one question")
    func oldFacts() async throws {
        let cache = TestCache()
        let aws = ScriptedCaller(
            delay: .milliseconds(50),
            ["DescribeInstances": { _ in EC2Answer.instances([EC2Answer.instance(web)]) }]
        )
        _ = try await inventory(cache, aws).find(InstanceTarget(web))
        cache.pass(100)
        let now = cache.now
        await withTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    let found = try? await inventory(cache, aws)
                        .find(InstanceTarget(web), newerThan: now)
                    #expect(found?.seen == now)
                }
            }
        }
        #expect(aws.count("DescribeInstances") == 2)
    }

    @Test(
        "What is known is asked for again when it is no longer good enough",
        arguments: [
            ("running", web, 3000, 1), ("running", web, 500_000, 1), ("running", web, 700_000, 2),
            ("running", "web", 3000, 1), ("running", "web", 4000, 2),
            ("running", web, -100, 2), ("pending", web, 10, 2), ("stopped", web, 10, 2),
            ("terminated", web, 10, 2), ("pending", web, 2, 1),
        ] as [(String, String, Int64, Int)]
    )
    func age(state: String, word: String, age: Int64, questions: Int) async throws {
        let cache = TestCache()
        let aws = caller(EC2Answer.instance(web, name: "web", state: state))
        for _ in 0..<2 {
            #expect(try await inventory(cache, aws).find(InstanceTarget(word)).instance.id == web)
            cache.pass(age)
        }
        #expect(aws.count("DescribeInstances") == questions)
    }

    @Test("A name that nobody has is asked for once by each process that begins later")
    func missing() async throws {
        let cache = TestCache()
        let aws = caller(EC2Answer.instance(web, name: "web"))
        for count in 1...3 {
            await #expect(
                throws: InstanceLookupError.notFound(word: "nope", regions: ["eu-west-1"])
            ) { try await inventory(cache, aws).find(InstanceTarget("nope")) }
            #expect(aws.count("DescribeInstances") == count)
        }
        // One that has waited takes what another was told since it began.
        let early = inventory(cache, aws)
        cache.pass(1)
        _ = try? await inventory(cache, aws).find(InstanceTarget("nope"))
        _ = try? await early.find(InstanceTarget("nope"))
        #expect(aws.count("DescribeInstances") == 4)
    }

    @Test("What was launched a moment ago is found, whatever a list of the moment before says")
    func justLaunched() async throws {
        let cache = TestCache()
        let texts = Mutex([EC2Answer.instance(web, name: "web")])
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in EC2Answer.instances(texts.withLock { $0 }) }
        ])
        _ = try await inventory(cache, aws).find(InstanceTarget(web))
        texts.withLock { $0.append(EC2Answer.instance(db)) }
        #expect(try await inventory(cache, aws).find(InstanceTarget(db)).instance.id == db)
        #expect(aws.count("DescribeInstances") == 2)
    }

    @Test("Several instances of one name are told, not guessed; gone ones do not count")
    func several() async throws {
        let two = caller(
            EC2Answer.instance(web, name: "web"),
            EC2Answer.instance(db, name: "web", state: "stopped")
        )
        do {
            _ = try await inventory(TestCache(), two).find(InstanceTarget("web"))
            Issue.record("one was taken")
        } catch {
            #expect(error.summary.hasPrefix("'web' stands for 2 instances: "))
            #expect(error.summary.contains("\(web) (web) running 10.0.0.7 eu-west-1; \(db)"))
        }
        let one = caller(
            EC2Answer.instance(web, name: "web", state: "terminated"),
            EC2Answer.instance(db, name: "web")
        )
        #expect(try await inventory(TestCache(), one).find(InstanceTarget("web")).instance.id == db)
        let gone = caller(EC2Answer.instance(web, name: "web", state: "terminated"))
        let known = try await inventory(TestCache(), gone).find(InstanceTarget("web"))
        #expect(known.instance.state == .terminated)
    }

    @Test("Regions are asked at the same time; a word may be in one of them only")
    func regions() async throws {
        let cache = TestCache()
        let west = caller(EC2Answer.instance(web, name: "web"), region: "eu-west-1")
        let east = caller(EC2Answer.instance(db, name: "db"), region: "us-east-1")
        let found = try await inventory(cache, west, east).find(InstanceTarget("db"))
        #expect(found.region == "us-east-1")
        cache.pass(10)
        #expect(try await inventory(cache, west, east).find(InstanceTarget("db")) == found)
        #expect(west.count("DescribeInstances") == 1 && east.count("DescribeInstances") == 1)
        #expect(
            try await inventory(cache, west, east).find(InstanceTarget("web")).region == "eu-west-1"
        )
        #expect(cache.files.count == 2)
        let both = caller(EC2Answer.instance(db, name: "web"), region: "us-east-1")
        await #expect(throws: InstanceLookupError.self) {
            try await inventory(TestCache(), west, both).find(InstanceTarget("web"))
        }
        // A region that may not be asked hides nothing that another has.
        let closed = ScriptedCaller(region: "ap-south-1", [:])
        #expect(
            try await inventory(TestCache(), west, closed).find(InstanceTarget("web")).instance.id
                == web
        )
        do {
            _ = try await inventory(TestCache(), closed).find(InstanceTarget("web"))
            Issue.record("found")
        } catch {
            #expect(
                error.hint?.text == "ask for the IAM permission UnauthorizedOperation"
                    || error.summary.contains("UnauthorizedOperation")
            )
        }
    }

    @Test("A region of several pages is read to its end")
    func pages() async throws {
        let aws = ScriptedCaller([
            "DescribeInstances": { fields in
                let page = Int(fields["NextToken"] ?? "0") ?? 0
                let id = "i-0000000000000000\(page)"
                return EC2Answer.instances(
                    [EC2Answer.instance(id)],
                    next: page < 3 ? "\(page + 1)" : nil
                )
            }
        ])
        let found = try await inventory(TestCache(), aws).find(
            InstanceTarget("i-00000000000000003")
        )
        #expect(found.instance.id == "i-00000000000000003")
        #expect(aws.fields("DescribeInstances").map { $0["NextToken"] } == [nil, "1", "2", "3"])
        #expect(aws.fields("DescribeInstances").allSatisfy { $0["MaxResults"] == "1000" })
    }

    @Test("Of a region that is too large only what is asked for is read, and kept")
    func large() async throws {
        let cache = TestCache()
        let aws = ScriptedCaller([
            "DescribeInstances": { fields in
                if let names = EC2Answer.filter("tag:Name", in: fields) {
                    return EC2Answer.instances(
                        names == ["w\\*b"] ? [EC2Answer.instance(web, name: "w*b")] : []
                    )
                }
                if let ids = EC2Answer.filter("instance-id", in: fields) {
                    return EC2Answer.instances(ids.map { EC2Answer.instance($0) })
                }
                return EC2Answer.instances(
                    [EC2Answer.instance("i-00000000000000001")],
                    next: "more"
                )
            }
        ])
        #expect(try await inventory(cache, aws).find(InstanceTarget("w*b")).instance.id == web)
        #expect(aws.count("DescribeInstances") == 6)
        #expect(try await inventory(cache, aws).find(InstanceTarget(db)).instance.id == db)
        #expect(aws.count("DescribeInstances") == 7)
        #expect(try await inventory(cache, aws).find(InstanceTarget("w*b")).instance.id == web)
        #expect(try await inventory(cache, aws).find(InstanceTarget(db)).instance.id == db)
        #expect(aws.count("DescribeInstances") == 7)
    }

    @Test(
        "A spoilt cache is as good as none, and is mended",
        arguments: ["", "\n", "{}\n{}\n", "{\"size\":1}\n", "\u{0}", "[\n"]
    )
    func spoilt(text: String) async throws {
        let cache = TestCache()
        let aws = caller(EC2Answer.instance(web))
        _ = try await inventory(cache, aws).find(InstanceTarget(web))
        let path = try #require(cache.files.first)
        let whole = try #require(FileManager.default.contents(atPath: path))
        #expect(try fileFacts(path: path).mode == 0o600)
        for contents in [Data(text.utf8), whole.dropLast(3), whole.dropFirst(), whole.prefix(90)] {
            try contents.write(to: URL(fileURLWithPath: path))
            let before = aws.count("DescribeInstances")
            _ = try await inventory(cache, aws).find(InstanceTarget(web))
            #expect(aws.count("DescribeInstances") == before + 1)
            #expect(FileManager.default.contents(atPath: path) == whole)
        }
    }

    @Test("Without a place for a cache AWS is asked each time")
    func nowhere() async throws {
        let aws = caller(EC2Answer.instance(web))
        let place = InventoryCache(environment: ["XDG_CACHE_HOME": "/dev/null"], home: nil)
        for cache in [nil, place] {
            let inventory = Inventory(
                [.init(aws, InventoryScope(profile: "p", region: "eu-west-1"))],
                cache: cache,
                table: UserTable(),
                clock: { Timestamp(seconds: 0) }
            )
            #expect(try await inventory.find(InstanceTarget(web)).instance.id == web)
        }
        #expect(aws.count("DescribeInstances") == 2)
    }

    @Test("Scopes do not see each other's instances")
    func scopes() throws {
        let scopes = [
            InventoryScope(profile: "a", region: "r"),
            InventoryScope(profile: "a/../b", region: "r"),
            InventoryScope(profile: "a", region: "r", endpoint: "http://[::1]:5000"),
            InventoryScope(profile: "a", region: "s"),
        ]
        let cache = TestCache()
        let kept = try #require(InventoryCache(environment: cache.environment, home: nil))
        for scope in scopes {
            kept.write(InventoryFile(scope: scope.text, fetched: cache.now, isWhole: true), scope) {
                _ in
            }
        }
        #expect(cache.files.count == 4)
        for scope in scopes { #expect(kept.read(scope) { _ in } != nil) }
    }

    @Test("A managed machine is asked of Systems Manager alone, and kept through new lists")
    func managed() async throws {
        let cache = TestCache()
        let id = "mi-0123456789abcdef0"
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in EC2Answer.instances([EC2Answer.instance(web)]) },
            describeMachines: { fields in
                #expect(fields["body"]?.contains("\"InstanceIds\",\"Values\":[\"mi-") == true)
                return machines([(id, "Online"), ("mi-0123456789abcdef1", "Online")])
            },
        ])
        let known = try await inventory(cache, aws).find(InstanceTarget(id))
        #expect(known.instance.id == id && known.isManaged && known.instance.state == .running)
        #expect(known.instance.name == "shop" && known.address == "192.168.7.9")
        #expect(aws.count("DescribeInstances") == 0)
        _ = try await inventory(cache, aws).find(InstanceTarget(web))
        #expect(try await inventory(cache, aws).find(InstanceTarget(id)) == known)
        #expect(aws.count(describeMachines) == 1 && aws.count("DescribeInstances") == 1)
        _ = try await inventory(cache, aws).find(InstanceTarget(id), newerThan: cache.now)
        cache.pass(100)
        _ = try await inventory(cache, aws).find(InstanceTarget(id), newerThan: cache.now)
        #expect(aws.count(describeMachines) == 2)
    }

    @Test("A managed machine that nobody knows is said; one that may not be asked for is tried")
    func managedUnknown() async throws {
        let id = "mi-0123456789abcdef0"
        let none = ScriptedCaller([describeMachines: { _ in machines([]) }])
        do {
            _ = try await inventory(TestCache(), none).find(InstanceTarget(id))
            Issue.record("found")
        } catch {
            #expect(error.summary == "no machine of Systems Manager is called '\(id)' in eu-west-1")
        }
        let denied = ScriptedCaller([:])
        let known = try await inventory(TestCache(), denied).find(InstanceTarget(id))
        #expect(known.instance.id == id && known.region == "eu-west-1")
        let other = ScriptedCaller(region: "us-east-1", [:])
        await #expect(throws: InstanceLookupError.self) {
            try await inventory(TestCache(), denied, other).find(InstanceTarget(id))
        }
    }

    @Test("The list has managed machines, and does without them where they may not be asked for")
    func managedList() async throws {
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in EC2Answer.instances([EC2Answer.instance(web)]) },
            describeMachines: { fields in
                let isSecond = fields["body"]?.contains("\"NextToken\":\"2\"") == true
                let found = isSecond ? "mi-0123456789abcdef1" : "mi-0123456789abcdef0"
                return machines([(found, "ConnectionLost")], next: isSecond ? nil : "2")
            },
        ])
        let cache = TestCache()
        let all = try await inventory(cache, aws).all(newerThan: cache.now)
        #expect(
            all.map(\.instance.id) == [web, "mi-0123456789abcdef0", "mi-0123456789abcdef1"]
        )
        #expect(
            all.map(\.instance.state.rawValue) == ["running"] + [
                "ConnectionLost", "ConnectionLost",
            ]
        )
        let denied = caller(EC2Answer.instance(web))
        let rest = try await inventory(TestCache(), denied).all(newerThan: cache.now)
        #expect(rest.map(\.instance.id) == [web])
    }
}

private let describeMachines = "AmazonSSM.DescribeInstanceInformation"

private func machines(_ list: [(id: String, ping: String)], next: String? = nil) -> String {
    let items = list.map { machine in
        """
        {"InstanceId":"\(machine.id)","PingStatus":"\(machine.ping)","AgentVersion":"3.3.1611.0",
        "PlatformType":"Linux","ResourceType":"ManagedInstance","IPAddress":"192.168.7.9",
        "Name":"shop","ComputerName":"shop.example"}
        """
    }
    let token = next.map { ",\"NextToken\":\"\($0)\"" } ?? ""
    return "{\"InstanceInformationList\":[\(items.joined(separator: ","))]\(token)}"
}

struct InventoryImageTests {
    private let table: UserTable

    init() throws { table = try UserTable.load(userFile: nil) }

    @Test("The images of all instances are asked for at once, and never again")
    func images() async throws {
        let cache = TestCache()
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in
                EC2Answer.instances([
                    EC2Answer.instance(web, image: "ami-1"), EC2Answer.instance(db, image: "ami-2"),
                ])
            },
            "DescribeImages": { fields in
                #expect(fields["IncludeDeprecated"] == "true")
                #expect(Set(EC2Answer.filter("image-id", in: fields) ?? []) == ["ami-1", "ami-2"])
                return EC2Answer.images([
                    ("ami-1", "debian-12-amd64-20240702-1796", "136693071363", nil)
                ])
            },
        ])
        let ours = inventory(cache, aws, table: table)
        let known = try await ours.withImages(try await ours.find(InstanceTarget(web)))
        #expect(known.images.first?.name == "debian-12-amd64-20240702-1796")
        #expect(known.images.first?.created == "2026-01-02T03:04:05.000Z")
        #expect(table.users(of: known) == ["admin"])
        // Gone images are remembered as such.
        let other = inventory(cache, aws, table: table)
        let gone = try await other.withImages(try await other.find(InstanceTarget(db)))
        #expect(table.users(of: gone) == nil)
        #expect(aws.count("DescribeImages") == 1)
        #expect(try await other.find(InstanceTarget(web)) == known)
        // New instances do not forget them.
        let later = try await other.find(
            InstanceTarget(web),
            newerThan: Timestamp(seconds: 1_800_000_100)
        )
        #expect(later.images == known.images)
    }

    @Test("An image of one's own is judged by the one it was made from")
    func source() async throws {
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in
                EC2Answer.instances([EC2Answer.instance(web, image: "ami-1")])
            },
            "DescribeImages": { fields in
                let all =
                    [
                        ("ami-1", "golden", "123456789012", "ami-2"),
                        ("ami-2", "base", "123456789012", "ami-3"),
                        ("ami-3", "ubuntu/images/hvm-ssd/x", "099720109477", "ami-4"),
                    ] as [(id: String, name: String, owner: String, source: String?)]
                let ids = EC2Answer.filter("image-id", in: fields) ?? []
                return EC2Answer.images(all.filter { ids.contains($0.id) })
            },
        ])
        let ours = inventory(TestCache(), aws, table: table)
        let known = try await ours.withImages(try await ours.find(InstanceTarget(web)))
        #expect(table.users(of: known) == ["ubuntu"])
        #expect(aws.count("DescribeImages") == 3)
    }

    @Test("A Windows instance is known by its platform")
    func windows() {
        var instance = Instance(id: web, state: .running)
        instance.platform = "windows"
        let known = KnownInstance(instance, region: "r", seen: Timestamp(seconds: 0))
        #expect(table.users(of: known) == ["Administrator"])
    }

    @Test("Health is what can be found out")
    func health() async throws {
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in EC2Answer.instances([EC2Answer.instance(web)]) },
            "DescribeInstanceStatus": { _ in
                """
                <DescribeInstanceStatusResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
                <instanceStatusSet><item><instanceId>\(web)</instanceId>
                <instanceState><code>16</code><name>running</name></instanceState>
                <systemStatus><status>ok</status></systemStatus>
                <instanceStatus><status>initializing</status></instanceStatus>
                </item></instanceStatusSet></DescribeInstanceStatusResponse>
                """
            },
        ])
        let ours = inventory(TestCache(), aws)
        let health = await ours.health(of: try await ours.find(InstanceTarget(web)))
        #expect(health == InstanceHealth(system: "ok", instance: "initializing", agent: nil))
        #expect(health.isStarting)
    }
}

struct InventoryFileTests {
    @Test("Among five thousand instances one is found without reading the others")
    func large() throws {
        var file = InventoryFile(scope: "s", fetched: Timestamp(seconds: 1), isWhole: true)
        for number in 0..<5000 {
            var instance = Instance(id: "i-0000000000000\(number + 1000)", state: .running)
            instance.tags = ["Name": "host-\(number)", "Note": "\n{\"id\":\"\(web)\""]
            file.append(KnownInstance(instance, region: "r", seen: Timestamp(seconds: 1)))
        }
        file.put(Image(id: "ami-1"))
        file.put(Image(id: "ami-1"))
        let again = try #require(InventoryFile(file.bytes, scope: "s"))
        #expect(InventoryFile(file.bytes, scope: "t") == nil)
        #expect(again.bytes == file.bytes && again.instanceCount == 5000)
        let begun = ContinuousClock.now
        for word in ["host-4999", "i-00000000000001000", "tag:Name=host-2500"] {
            #expect(again.instances(matching: InstanceTarget(word)).count == 1)
        }
        #expect(again.instances(matching: InstanceTarget(web)).isEmpty)
        #expect(ContinuousClock.now - begun < .seconds(1))
    }

    @Test("What may be typed is each name and id, and nothing that ssh does not take for a host")
    func words() throws {
        let cache = TestCache()
        let kept = try #require(InventoryCache(environment: cache.environment, home: nil))
        let names = [
            "web-1", "web-1", "Wide-日本", "web[2]", "-oProxyCommand=x", "", "a\u{1b}b", "two\nlines",
            "web server", "a@b", "$(x)", "x\",\"region\":\"y", "é",
        ]
        let scope = InventoryScope(profile: "p", region: "r")
        var file = InventoryFile(scope: scope.text, fetched: cache.now, isWhole: true)
        for (number, name) in names.enumerated() {
            var instance = Instance(id: "i-0000000000000\(1000 + number)", state: .running)
            instance.tags = ["Name": name, "Other": "{\"id\":\"x\"}"]
            file.append(KnownInstance(instance, region: "r", seen: cache.now))
        }
        let gone = Instance(id: "i-00000000000009999", state: .terminated)
        file.append(KnownInstance(gone, region: "r", seen: cache.now))
        file.noteAsked("asked", at: cache.now)
        kept.write(file, scope) { _ in }
        let words = kept.words(in: [scope])
        #expect(words.filter { !$0.hasPrefix("i-") } == ["Wide-日本", "web-1", "web[2]", "é"])
        #expect(words.count == 4 + names.count)
        #expect(kept.words(in: [scope], beginning: "web") == ["web-1", "web[2]"])
        #expect(kept.words(in: [scope], beginning: "x").isEmpty)
        #expect(kept.words(in: [InventoryScope(profile: "q", region: "r")]).isEmpty)
    }

    @Test("What is put twice stands once")
    func put() throws {
        var file = InventoryFile(scope: "s", fetched: Timestamp(seconds: 1), isWhole: true)
        for (id, seen) in [(web, 1), (db, 2), (web, 3), (db, 4), (web, 5)] as [(String, Int64)] {
            let instance = Instance(id: id, state: .running)
            file.put(KnownInstance(instance, region: "r", seen: Timestamp(seconds: seen)))
        }
        #expect(file.instances.map(\.instance.id) == [db, web])
        #expect(file.instances.map(\.seen.seconds) == [4, 5])
        var image = Image(id: "ami-1")
        file.put(image)
        image.name = "n"
        file.put(image)
        #expect(file.image("ami-1") == image && file.image("ami-") == nil)
        var next = InventoryFile(scope: "s", fetched: Timestamp(seconds: 9), isWhole: true)
        next.takeOthers(of: file)
        #expect(next.image("ami-1") == image && next.instances.isEmpty)
    }
}
