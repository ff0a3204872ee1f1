import TestSupport
import Testing

@testable import AWS

@Suite struct XMLElementTests {
    @Test("An answer of EC2's is read, lists and all")
    func answer() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
                <requestId>8f7724cf-496f-496e-8fe3-example</requestId>
                <reservationSet>
                    <item><instancesSet><item><instanceId>i-1</instanceId><empty/></item></instancesSet></item>
                    <item><instancesSet><item><instanceId>i-2</instanceId></item></instancesSet></item>
                </reservationSet>
            </DescribeInstancesResponse>
            """
        let root = try XMLElement.parse(Array(text.utf8))
        #expect(root.name == "DescribeInstancesResponse" && root.text.isEmpty)
        #expect(root.text("requestId") == "8f7724cf-496f-496e-8fe3-example")
        let instances = root.items("reservationSet").flatMap { $0.items("instancesSet") }
        #expect(instances.map { $0.text("instanceId") } == ["i-1", "i-2"])
        #expect(instances.first?["empty"] == XMLElement("empty"))
        #expect(instances.first?.text("empty") == nil)
        #expect(root.items("nothing").isEmpty)
    }

    @Test(
        "Texts are what XML says they are",
        arguments: [
            ("<a>&lt;&gt;&amp;&quot;&apos;</a>", "<>&\"'"), ("<a>&#65;&#x1F600;&#xd;</a>", "A😀\r"),
            ("<a><![CDATA[<b>&amp;]]]]></a>", "<b>&amp;]]"), ("<a>1<!-- 2 -->3<?x 4?></a>", "13"),
            ("<a b = '>' c=\"/\"> </a >", " "), ("<n:a xmlns:n='u'>x</n:a>", "x"), ("<a/>", ""),
            ("\u{feff}<!-- x --><a>é</a>\n<!-- y --> ", "é"), ("<a></a>", ""),
        ]
    )
    func texts(document: String, text: String) throws {
        #expect(try XMLElement.parse(Array(document.utf8)) == XMLElement("a", text: text))
    }

    @Test(
        "What is not XML, or could grow, is refused",
        arguments: [
            ("", "expected an element"), ("<a", "expected a blank"), ("<a>", "not closed"),
            ("<a></b>", "closes another"), ("<a>&nbsp;</a>", "unknown entity"),
            ("<a>&amp</a>", "unknown entity"), ("<a>&", "unknown entity"),
            ("<a>&#0;</a>", "unknown entity"), ("<a>&#xd800;</a>", "unknown entity"),
            ("<a>&#-5;</a>", "unknown entity"), ("<a>&#;</a>", "unknown entity"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
            ("<a><!DOCTYPE b></a>", "declaration"), ("<a/><b/>", "expected the end"),
            ("<a b></a>", "expected '='"), ("<a b='></a>", "a '<' in a value"),
            ("<a b=c></a>", "in quotes"), ("<a b='c'd='e'/>", "expected a blank"),
            ("<1/>", "expected a name"), ("<a>\u{1}</a>", "control character"),
            ("<a><!-- </a>", "expected '-->'"), ("x<a/>", "expected an element"),
        ]
    )
    func refusals(document: String, reason: String) throws {
        let error = try #require(throws: XMLError.self) {
            try XMLElement.parse(Array(document.utf8))
        }
        #expect(error.reason.contains(reason))
    }

    @Test("Bytes that are not UTF-8 are refused")
    func encoding() throws {
        let bytes: [UInt8] = Array("<a>".utf8) + [0xff] + Array("</a>".utf8)
        #expect(throws: XMLError.self) { try XMLElement.parse(bytes) }
    }

    @Test("Depth and number of elements have their bounds")
    func bounds() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth))
                    .utf8
            )
        }
        #expect(throws: Never.self) { try XMLElement.parse(nested(32)) }
        #expect(throws: XMLError.self) { try XMLElement.parse(nested(33)) }
        #expect(throws: XMLError.self) { try XMLElement.parse(nested(100_000)) }
    }

    @Test("Whatever is cut or changed is read or refused")
    func fuzz() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(seed)
        let start = Array(
            "<?xml version='1.0'?><r a=\"b\"><!-- c --><i>&lt;&#65;</i><i><![CDATA[x]]></i><e/></r>"
                .utf8
        )
        for _ in 0..<4000 {
            var bytes = start
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.removeSubrange(place...)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.remove(at: place)
                default: bytes.insert(contentsOf: start.dropFirst(place), at: place)
                }
            }
            let root = try? XMLElement.parse(bytes)
            #expect(root?.name != "", "seed \(seed)")
        }
    }
}
