import Diagnosis
import Testing

struct InsideFactsTests {
    @Test("what the script says is read, whatever stands around it")
    func whole() {
        let text = """
            Welcome!\r
            user 1000
            disk 81% /
            disk 100% /mnt/a b
            MemTotal: 1000
            MemAvailable: 200
            file 755 1000 /home/you
            file 0600 0 /home/you/.ssh/authorized_keys
            asked
            sshd /etc/ssh/sshd_config: line 3: Bad configuration option: x
            bye

            """
        let facts = InsideFacts(Array(text.utf8))
        #expect(facts.user == 1000)
        #expect(facts.disks == ["/": 81, "/mnt/a b": 100])
        #expect(facts.memory == (1000, 200))
        #expect(facts.files.map(\.mode) == [0o755, 0o600])
        #expect(facts.files.map(\.owner) == [1000, 0])
        #expect(facts.complaints == ["/etc/ssh/sshd_config: line 3: Bad configuration option: x"])
    }

    @Test(
        "what is nonsense tells nothing",
        arguments: [
            "", "user", "user -1", "user 1x", "user 99999999999", "disk 101% /", "disk 5 /",
            "disk % /", "disk 5%", "file 999 0 /", "file 755 /", "MemTotal: many", "sshd too early",
            "\u{0}\u{1b}[2J", "nothing of ours",
        ]
    )
    func nonsense(text: String) {
        #expect(InsideFacts(Array(text.utf8)) == InsideFacts([]))
    }

    @Test("no bytes at all make it trap, and no control character gets out of it")
    func fuzz() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "user ", "disk ", "file ", "sshd ", "asked\n", "%", " ", "\n", "755", "/", "MemTotal: ",
            "\u{1b}", "-", "99999999999999999999",
        ].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                bytes +=
                    Bool.random(using: &random)
                    ? pieces.randomElement(using: &random) ?? []
                    : [UInt8.random(in: 0...255, using: &random)]
            }
            let facts = InsideFacts(bytes)
            let texts = facts.files.map(\.path) + facts.disks.keys + (facts.complaints ?? [])
            let isClean = texts.allSatisfy { text in text.utf8.allSatisfy { $0 != 0x1b } }
            #expect(isClean, "\(bytes)")
        }
    }
}
