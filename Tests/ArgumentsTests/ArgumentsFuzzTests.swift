import Arguments
import TestSupport
import Testing

struct ArgumentsFuzzTests {
    @Test("No command line traps, and what is read accounts for every word")
    func random() {
        var generator = Seeded(4_711)
        let pieces = [
            "", "-", "--", "---", "-p", "-p22", "-v", "-vvv", "-o", "-oX=1", "host", "u@h", "ls",
            "proxy", "doctor", "--json", "--yes", "-Z", "-\u{301}", "é", "-é", "\r\n", "-l\u{0}",
            "-e\u{200D}x", "\u{10FFFF}", "-\r\n", "-:", "-W", "-4é", "🙂", "-T-",
        ]
        for _ in 0..<20_000 {
            let count = Int(generator.next() % 8)
            let words = (0..<count).map { _ in pieces[Int(generator.next() % UInt64(pieces.count))]
            }
            let program = generator.next() % 2 == 0 ? "ssh" : "ec2sh"
            let invocation = Invocation(arguments: [program] + words)
            if invocation.complaint == nil, invocation.destination == nil {
                #expect(invocation.command.isEmpty, "\(words)")
            }
            #expect(invocation.command.count <= words.count, "\(words)")
            let tail = words.suffix(invocation.command.count)
            #expect(invocation.command == Array(tail), "\(words)")
        }
    }
}
