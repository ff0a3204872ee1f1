import Diagnosis
import JSONText
import Testing

struct ChangeTests {
    private static let changes: [Change] = [
        .mode(path: "/home/you/a \"b\".pem", from: 0o644, to: 0o600),
        .start(instance: "i-1", region: "eu-central-1"),
        .allow(range: "2001:db8::9/128", port: 22, group: "sg-1", region: "us-east-1"),
    ]

    @Test("what is recorded is read again as it was", arguments: changes)
    func roundTrip(change: Change) throws {
        #expect(Change(json: try JSON.parse(Array(change.json.text.utf8))) == change)
    }

    @Test(
        "what is no change is none",
        arguments: [
            "{}", "[]", #"{"kind": "mode"}"#,
            #"{"kind": "mode", "path": "a", "from": "9", "to": "0"}"#,
            #"{"kind": "allow", "range": "a", "port": "22", "group": "g", "region": "r"}"#,
            #"{"kind": "start", "instance": 1, "region": "r"}"#, #"{"kind": "stop"}"#,
        ]
    )
    func nonsense(text: String) throws {
        #expect(Change(json: try JSON.parse(Array(text.utf8))) == nil)
    }

    @Test("the words are exact")
    func words() {
        #expect(
            Self.changes.map(\.title) == [
                "set /home/you/a \"b\".pem to 0600 (it is 0644)", "start i-1 in eu-central-1",
                "let 2001:db8::9/128 in on tcp port 22 by sg-1 in us-east-1",
            ]
        )
    }
}
