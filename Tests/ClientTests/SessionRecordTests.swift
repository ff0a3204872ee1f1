import Arguments
import TestSupport
import Testing

@testable import Client

/// What is kept of a session to find it again.
struct SessionRecordTests {
    private let id = "0123456789abcdef0123456789abcdef"

    private func record(_ words: [String]) -> SessionRecord {
        let invocation = Invocation(arguments: ["ec2sh"] + words)
        return SessionRecord(id: id, invocation, command: "a\n\"b", started: 9)
    }

    @Test("only flags that lead to the host are kept, and files by their whole paths")
    func flags() {
        let record = self.record([
            "-vA4", "-L", "1:a:2", "-p22", "-i", "/k", "-o", "User=x y", "-F", "~/c", "me@host",
            "ls",
        ])
        #expect(record.flags == ["-4", "-p", "22", "-i", "/k", "-o", "User=x y", "-F", "~/c"])
        #expect(record.destination == "me@host")
        let relative = self.record(["-i", "key", "host"])
        #expect(relative.flags.last?.hasPrefix("/") == true)
        #expect(relative.flags.last?.hasSuffix("/key") == true)
    }

    @Test("what is written is read again, and leads to the same words")
    func roundTrip() throws {
        let record = self.record(["-p", "22", "-l", "-x", "host"])
        #expect(SessionRecord(Array(record.text.utf8)) == record)
        #expect(
            record.words() == [.flag(.port, "22"), .flag(.loginName, "-x"), .destination("host")]
        )
    }

    @Test("no bytes of a file bring it down, and a damaged one is none")
    func damaged() {
        let bytes = Array(record(["-p", "22", "host"]).text.utf8)
        for length in 0..<(bytes.count - 2) {
            #expect(SessionRecord(Array(bytes[..<length])) == nil)
        }
        var random = Seeded(5)
        for _ in 0..<2_000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] =
                UInt8.random(in: 0...255, using: &random)
            if let read = SessionRecord(damaged) { #expect(SessionRecord.isID(read.id)) }
        }
    }

    @Test(
        "a part of an id is told from the names of hosts",
        arguments: [
            ("012345", true), ("01234", false), ("i-0123456", false), ("ABCDEF", false),
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789abcdef0123456789abcdef0", false),
        ]
    )
    func parts(text: String, isPart: Bool) { #expect(SessionRecord.isPart(ofID: text) == isPart) }
}
