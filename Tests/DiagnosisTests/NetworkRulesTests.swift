import AWS
import Diagnosis
import Testing

private let me = "203.0.113.9"
private let me6 = "2001:db8:13::9"

/// What a verdict is, without its words.
private enum Kind { case open, closed, unknown }

private func kind(_ verdict: PathVerdict) -> Kind {
    switch verdict {
    case .open: .open
    case .closed: .closed
    case .unknown: .unknown
    }
}

struct InboundRulesTests {
    private struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var source: String? = me
        var rules: [SecurityGroup.Rule]
        var lists: [String: [String]] = [:]
        let expected: Kind
        var testDescription: String { name }
    }

    private static func rule(
        _ ports: ClosedRange<Int>?,
        _ ranges: [String] = [],
        transport: String = "tcp",
        lists: [String] = [],
        groups: [String] = []
    ) -> SecurityGroup.Rule {
        var rule = SecurityGroup.Rule(transport: transport, ports: ports)
        (rule.ranges, rule.prefixLists, rule.groups) = (ranges, lists, groups)
        return rule
    }

    private static let rows: [Row] = [
        Row(name: "no rule", rules: [], expected: .closed),
        Row(name: "everybody", rules: [rule(22...22, ["0.0.0.0/0"])], expected: .open),
        Row(name: "us alone", rules: [rule(22...22, ["\(me)/32"])], expected: .open),
        Row(name: "others", rules: [rule(22...22, ["198.51.100.0/24"])], expected: .closed),
        Row(name: "other port", rules: [rule(443...443, ["0.0.0.0/0"])], expected: .closed),
        Row(name: "port range", rules: [rule(20...30, ["0.0.0.0/0"])], expected: .open),
        Row(
            name: "all traffic",
            rules: [rule(nil, ["0.0.0.0/0"], transport: "-1")],
            expected: .open
        ),
        Row(
            name: "tcp by number",
            rules: [rule(nil, ["0.0.0.0/0"], transport: "6")],
            expected: .open
        ),
        Row(
            name: "udp is not tcp",
            rules: [rule(22...22, ["0.0.0.0/0"], transport: "udp")],
            expected: .closed
        ),
        Row(name: "IPv6 rule for IPv4", rules: [rule(22...22, ["::/0"])], expected: .closed),
        Row(name: "IPv6", source: me6, rules: [rule(22...22, ["::/0"])], expected: .open),
        Row(
            name: "IPv4 rule for IPv6",
            source: me6,
            rules: [rule(22...22, ["0.0.0.0/0"])],
            expected: .closed
        ),
        Row(
            name: "a list we are in",
            rules: [rule(22...22, lists: ["pl-1"])],
            lists: ["pl-1": ["198.51.100.0/24", "203.0.113.0/24"]],
            expected: .open
        ),
        Row(
            name: "a list we are not in",
            rules: [rule(22...22, lists: ["pl-1"])],
            lists: ["pl-1": ["198.51.100.0/24"]],
            expected: .closed
        ),
        Row(
            name: "a list nobody could read",
            rules: [rule(22...22, lists: ["pl-1"])],
            expected: .unknown
        ),
        Row(
            name: "a list nobody could read, and a rule that is enough",
            rules: [rule(22...22, lists: ["pl-1"]), rule(22...22, ["0.0.0.0/0"])],
            expected: .open
        ),
        Row(
            name: "members of a group, which nobody is from outside",
            rules: [rule(22...22, groups: ["sg-2"])],
            expected: .closed
        ),
        Row(
            name: "unknown source, everybody",
            source: nil,
            rules: [rule(22...22, ["0.0.0.0/0"])],
            expected: .open
        ),
        Row(
            name: "unknown source, some",
            source: nil,
            rules: [rule(22...22, ["198.51.100.0/24"])],
            expected: .unknown
        ),
        Row(name: "unknown source, nobody", source: nil, rules: [], expected: .closed),
    ]

    @Test("each kind of rule", arguments: rows)
    private func rules(row: Row) {
        let ends = PathEnds(from: row.source, port: 22)
        let groups = [SecurityGroup(id: "sg-1", inbound: row.rules)]
        #expect(kind(InboundRules.judge(ends, groups, prefixLists: row.lists)) == row.expected)
    }

    @Test("one group that lets in is enough, and the words name it and its rule")
    func severalGroups() {
        let open = SecurityGroup(id: "sg-b", inbound: [Self.rule(22...22, ["203.0.113.0/24"])])
        let closed = SecurityGroup(id: "sg-a", inbound: [Self.rule(443...443, ["0.0.0.0/0"])])
        let ends = PathEnds(from: me, port: 22)
        #expect(
            InboundRules.judge(ends, [closed, open])
                == .open("sg-b lets 203.0.113.0/24 in on tcp port 22")
        )
        #expect(
            InboundRules.judge(ends, [closed])
                == .closed("sg-a does not let \(me) in on tcp port 22: no rule for it at all")
        )
        let others = SecurityGroup(id: "sg-c", inbound: [Self.rule(22...22, ["198.51.100.0/24"])])
        #expect(
            InboundRules.judge(ends, [others])
                == .closed(
                    "sg-c does not let \(me) in on tcp port 22: only tcp port 22 from "
                        + "198.51.100.0/24"
                )
        )
    }
}

struct ACLRulesTests {
    private typealias Entry = NetworkACL.Entry

    private struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var source: String? = me
        let entries: [NetworkACL.Entry]
        let expected: Kind
        var testDescription: String { name }
    }

    private static let star: [Entry] = [false, true].flatMap { isOutbound in
        ["0.0.0.0/0", "::/0"].map {
            Entry(number: 32767, isOutbound: isOutbound, isAllowed: false, range: $0)
        }
    }

    private static func entry(
        _ number: Int,
        out: Bool = false,
        _ isAllowed: Bool,
        _ range: String,
        _ ports: ClosedRange<Int>? = nil,
        transport: String = "6"
    ) -> Entry {
        Entry(
            number: number,
            isOutbound: out,
            isAllowed: isAllowed,
            transport: transport,
            range: range,
            ports: ports
        )
    }

    private static let everything = [
        entry(100, true, "0.0.0.0/0", transport: "-1"),
        entry(100, out: true, true, "0.0.0.0/0", transport: "-1"),
    ]
    private static let back = entry(100, out: true, true, "0.0.0.0/0", 1024...65535)

    private static let rows: [Row] = [
        Row(name: "the default", entries: everything + star, expected: .open),
        Row(name: "nothing but the last", entries: star, expected: .closed),
        Row(
            name: "the port and the answers",
            entries: [entry(100, true, "0.0.0.0/0", 22...22), back] + star,
            expected: .open
        ),
        Row(
            name: "a lower number denies",
            entries: [entry(90, false, "203.0.113.0/24", 22...22)] + everything + star,
            expected: .closed
        ),
        Row(
            name: "a higher number denies in vain",
            entries: [entry(110, false, "203.0.113.0/24", 22...22)] + everything + star,
            expected: .open
        ),
        Row(
            name: "another is denied",
            entries: [entry(90, false, "198.51.100.0/24")] + everything + star,
            expected: .open
        ),
        Row(
            name: "answers are not let out",
            entries: [entry(100, true, "0.0.0.0/0", 22...22)] + star,
            expected: .closed
        ),
        Row(
            name: "answers are let out to some ports only",
            entries: [
                entry(100, true, "0.0.0.0/0", 22...22),
                entry(100, out: true, true, "0.0.0.0/0", 32768...65535),
            ] + star,
            expected: .closed
        ),
        Row(
            name: "answers are let out by two entries together",
            entries: [
                entry(100, true, "0.0.0.0/0", 22...22),
                entry(100, out: true, true, "0.0.0.0/0", 32768...65535),
                entry(110, out: true, true, "0.0.0.0/0", 1024...32767),
            ] + star,
            expected: .open
        ),
        Row(
            name: "one ephemeral port is denied",
            entries: [
                entry(100, true, "0.0.0.0/0", 22...22),
                entry(90, out: true, false, "0.0.0.0/0", 3389...3389), back,
            ] + star,
            expected: .closed
        ),
        Row(
            name: "udp is not tcp",
            entries: [entry(100, true, "0.0.0.0/0", 22...22, transport: "17"), back] + star,
            expected: .closed
        ),
        Row(name: "IPv6 has no entry", source: me6, entries: everything + star, expected: .closed),
        Row(
            name: "IPv6 has entries",
            source: me6,
            entries: [
                entry(101, true, "::/0", transport: "-1"),
                entry(101, out: true, true, "::/0", transport: "-1"),
            ] + everything + star,
            expected: .open
        ),
        Row(name: "unknown source, the default", source: nil, entries: everything, expected: .open),
        Row(
            name: "unknown source, some are denied",
            source: nil,
            entries: [entry(90, false, "203.0.113.0/24")] + everything,
            expected: .unknown
        ),
        Row(
            name: "unknown source, some are allowed besides",
            source: nil,
            entries: [entry(90, true, "203.0.113.0/24")] + everything,
            expected: .open
        ),
    ]

    @Test("entries decide in their order, there and back", arguments: rows)
    private func entries(row: Row) {
        let verdict = ACLRules.judge(
            PathEnds(from: row.source, port: 22),
            NetworkACL(id: "acl-1", entries: row.entries)
        )
        #expect(kind(verdict) == row.expected, "\(verdict)")
        // The order in which AWS tells them means nothing.
        let other = ACLRules.judge(
            PathEnds(from: row.source, port: 22),
            NetworkACL(id: "acl-1", entries: row.entries.reversed())
        )
        #expect(kind(other) == row.expected)
    }

    @Test("the words name the entry")
    func words() {
        let acl = NetworkACL(
            id: "acl-1",
            entries: [Self.entry(90, false, "203.0.113.0/24", 22...22)] + Self.everything
        )
        #expect(
            ACLRules.judge(PathEnds(from: me, port: 22), acl)
                == .closed(
                    "acl-1 denies \(me) inbound tcp port 22: entry 90 denies 203.0.113.0/24"
                )
        )
    }
}

struct RouteChoiceTests {
    private static let main = RouteTable(id: "rtb-main", isMain: true)
    private static let own = RouteTable(id: "rtb-own", subnets: ["subnet-1", "subnet-2"])

    @Test("a subnet has the table that is given to it, else the main one")
    func choice() {
        let tables = [Self.main, Self.own]
        #expect(RouteChoice.table(for: "subnet-2", of: tables)?.id == "rtb-own")
        #expect(RouteChoice.table(for: "subnet-3", of: tables)?.id == "rtb-main")
        #expect(RouteChoice.table(for: "subnet-3", of: [Self.own]) == nil)
    }

    private static let rows: [(String, [RouteTable.Route], String?, Kind)] = [
        ("none", [.init("10.0.0.0/16", by: "local")], me, .closed),
        ("internet gateway", [.init("0.0.0.0/0", by: "igw-1")], me, .open),
        ("NAT gateway", [.init("0.0.0.0/0", by: "nat-1")], me, .closed),
        ("blackhole", [.init("0.0.0.0/0", by: "igw-1", isBlackhole: true)], me, .closed),
        ("transit gateway", [.init("0.0.0.0/0", by: "tgw-1")], me, .unknown),
        ("nobody knows", [.init("0.0.0.0/0", by: nil)], me, .unknown),
        ("IPv4 alone", [.init("0.0.0.0/0", by: "igw-1")], me6, .closed),
        ("IPv6", [.init("::/0", by: "igw-1")], me6, .open),
        ("IPv6 outwards", [.init("::/0", by: "eigw-1")], me6, .closed),
        (
            "our own range by the VPN",
            [.init("0.0.0.0/0", by: "igw-1"), .init("203.0.113.0/24", by: "vgw-1")], me, .unknown
        ),
        (
            "a VPN that is not ours",
            [.init("198.51.100.0/24", by: "vgw-1"), .init("0.0.0.0/0", by: "igw-1")], me, .open
        ),
        ("unknown source", [.init("0.0.0.0/0", by: "igw-1")], nil, .open),
        ("a prefix list", [.init("pl-1", by: "vpce-1")], me, .closed),
    ]

    @Test("the most specific route decides", arguments: rows.indices)
    func routes(row: Int) {
        let (name, routes, source, expected) = Self.rows[row]
        let ends = PathEnds(from: source, port: 22)
        let verdict = RouteChoice.judge(ends, RouteTable(id: "rtb-1", routes: routes))
        #expect(kind(verdict) == expected, "\(name): \(verdict)")
    }
}
