import AWS
import JSONText
import Testing

@testable import EC2

private func known(
    _ id: String,
    _ name: String?,
    _ address: String? = "10.0.0.7",
    region: String = "eu-west-1"
) -> KnownInstance {
    var instance = Instance(id: id, state: .running)
    instance.tags["Name"] = name
    instance.privateAddress = address
    instance.imageID = "ami-1"
    return KnownInstance(instance, region: region, seen: Timestamp(seconds: 0))
}

private let three = [
    known("i-00000000000000003", nil, nil), known("i-00000000000000002", "Wide-日本"),
    known("i-00000000000000001", "web-1", "10.0.0.100"),
]

struct InstanceTableTests {
    @Test("Columns are aligned, whatever the writing")
    func table() {
        let lines = InstanceTable.lines(InstanceTable.select(nil, from: three)) { known in
            known.instance.name == "web-1" ? "ubuntu" : nil
        }
        #expect(
            lines == [
                "ID                   NAME       STATE    ADDRESS     USER    KEY  IMAGE",
                "i-00000000000000002  Wide-日本  running  10.0.0.7    -       -    ami-1",
                "i-00000000000000001  web-1      running  10.0.0.100  ubuntu  -    ami-1",
                "i-00000000000000003  -          running  -           -       -    ami-1",
            ]
        )
        let two = [three[0], known("i-00000000000000004", "x", region: "us-east-1")]
        #expect(InstanceTable.lines(two) { _ in nil }.allSatisfy { $0.contains("  ") })
        #expect(InstanceTable.lines(two) { _ in nil }[2].hasSuffix("ami-1  us-east-1"))
        #expect(InstanceTable.lines([]) { _ in nil }.count == 1)
    }

    @Test("A name cannot act on the terminal, in either form")
    func controls() throws {
        let name = "a\u{1b}[31m\n\t\u{7f}\u{9b}\u{202e}\\é"
        let lines = InstanceTable.lines([known("i-00000000000000001", name)]) { _ in nil }
        #expect(lines.count == 2)
        #expect(lines[1].contains("a\\033[31m\\012\\011\\177\\302\\233\\342\\200\\256\\\\é"))
        let json = InstanceTable.json([known("i-00000000000000001", name)]) { _ in "u" }
        #expect(!json.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(!json.unicodeScalars.contains { (0x7f..<0xa0).contains($0.value) })
        let parsed = try JSON.parse(Array(json.utf8))
        #expect(parsed.array?.first?["name"]?.string == name)
        #expect(parsed.array?.first?["user"]?.string == "u")
        #expect(InstanceTable.json([]) { _ in nil } == "[]\n")
    }

    @Test(
        "A pattern is a glob of the whole, or a part",
        arguments: [
            ("web", [1]), ("WEB-?", [1]), ("web-", [1]), ("web*1", [1]), ("?", []),
            ("*", [2, 1, 3]),
            ("10.0.0", [2, 1]), ("10.0.0.?", [2]), ("i-0000000000000000[", []), ("日", [2]),
            ("i-00000000000000003", [3]), ("", [2, 1, 3]),
        ] as [(String, [Int])]
    )
    func patterns(pattern: String, numbers: [Int]) {
        let ids = InstanceTable.select(pattern, from: three).map(\.instance.id)
        #expect(ids == numbers.map { "i-0000000000000000\($0)" })
    }
}
