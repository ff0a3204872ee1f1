import AWS
import Testing

@testable import EC2

private let id = "i-0123456789abcdef0"

private func instance() -> Instance {
    var instance = Instance(id: id, state: .running)
    instance.publicAddress = "203.0.113.25"
    instance.privateAddress = "10.0.0.7"
    instance.ipv6Addresses = ["2001:db8::1"]
    instance.otherAddresses = ["10.0.0.8"]
    instance.publicName = "ec2-203-0-113-25.eu-west-1.compute.amazonaws.com"
    instance.privateName = "ip-10-0-0-7.eu-west-1.compute.internal"
    instance.tags = ["Name": "web", "Role": "a=b"]
    return instance
}

struct InstanceTargetTests {
    @Test(
        "Each word is what its form says",
        arguments: [
            (id, .id(id)), ("I-0123456789ABCDEF0", .id(id)),
            ("i-0123456789abcdef0.eu-west-1.compute.internal", .id(id)),
            ("mi-0123456789abcdef0", .managed("mi-0123456789abcdef0")),
            ("tag:Role=a=b", .tag(key: "Role", value: "a=b")),
            ("tag:Role=", .tag(key: "Role", value: "")),
            ("tag:Role", .name("tag:Role")), ("tag:=x", .name("tag:=x")),
            ("10.0.0.7", .address("10.0.0.7")), ("2001:DB8:0:0::1", .address("2001:db8::1")),
            (
                "EC2-203-0-113-25.eu-west-1.compute.amazonaws.com.",
                .dnsName(
                    "ec2-203-0-113-25.eu-west-1.compute.amazonaws.com",
                    address: "203.0.113.25"
                )
            ), ("web", .name("web")), ("", .name("")), ("10.0.0", .name("10.0.0")),
        ] as [(String, InstanceTarget.Kind)]
    )
    func kinds(word: String, kind: InstanceTarget.Kind) {
        #expect(InstanceTarget(word).kind == kind)
    }

    @Test(
        "A word stands for an instance that has it in full, and for no other",
        arguments: [
            (id, true), ("web", true), ("we", false), ("Web", false), ("tag:Name=web", true),
            ("tag:Role=a=b", true), ("tag:Role=a", false), ("tag:None=", false),
            ("203.0.113.25", true), ("10.0.0.7", true), ("10.0.0.8", true), ("10.0.0.9", false),
            ("2001:db8:0::1", true), ("2001:db8::2", false),
            ("ip-10-0-0-7.eu-west-1.compute.internal", true), ("ip-10-0-0-9.ec2.internal", false),
            ("ec2-203-0-113-25.eu-west-1.compute.amazonaws.com", true),
            ("mi-0123456789abcdef0", false), ("", false),
        ]
    )
    func matching(word: String, matches: Bool) {
        #expect(InstanceTarget(word).matches(instance()) == matches)
        // The cache finds the same by looking at the text first.
        var file = InventoryFile(scope: "s", fetched: Timestamp(seconds: 1), isWhole: true)
        file.append(KnownInstance(instance(), region: "r", seen: Timestamp(seconds: 1)))
        #expect(file.instances(matching: InstanceTarget(word)).isEmpty != matches)
    }

    @Test(
        "The questions to AWS name the word exactly",
        arguments: [
            ("a*b?c\\d", [["tag:Name", "a\\*b\\?c\\\\d"]]),
            ("web.corp", [["tag:Name", "web.corp"], ["private-dns-name", "web.corp"]]),
            (
                "172.16.0.1",
                [
                    ["private-ip-address", "172.16.0.1"],
                    ["network-interface.addresses.private-ip-address", "172.16.0.1"],
                ]
            ), ("2001:db8::1", [["network-interface.ipv6-addresses.ipv6-address", "2001:db8::1"]]),
            ("tag:Role=x", [["tag:Role", "x"]]), ("mi-0123456789abcdef0", []),
        ] as [(String, [[String]])]
    )
    func questions(word: String, questions: [[String]]) {
        #expect(
            InstanceTarget(word).questions.map { $0.flatMap { [$0.name] + $0.values } } == questions
        )
    }

    @Test("All facts survive being written and read")
    func json() throws {
        var known = KnownInstance(instance(), region: "eu-west-1", seen: Timestamp(seconds: 5))
        known.instance.tags["\"\u{1}é\n"] = "\\"
        known.instance.platform = "windows"
        known.instance.launched = "2026-11-20T10:00:00.000Z"
        var image = Image(id: "ami-1")
        image.name = "n"
        image.sourceID = "ami-2"
        known.images = [image, Image(id: "ami-2")]
        known.health = InstanceHealth(system: "ok", agent: "Online")
        #expect(KnownInstance(json: known.json) == known)
        let bare = KnownInstance(
            Instance(id: id, state: InstanceState(rawValue: "new-state")),
            region: "r",
            seen: Timestamp(seconds: 0)
        )
        #expect(KnownInstance(json: bare.json) == bare)
    }
}
