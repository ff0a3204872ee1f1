import TestSupport
import Testing

@testable import Client

@Suite("SOCKS requests")
struct SocksTests {
    static let requests: [([UInt8], Socks.Step)] = [
        (
            [4, 1, 0, 80, 192, 0, 2, 1] + text("me"),
            .connect(host: "192.0.2.1", port: 80, reply: granted, rest: [])
        ),
        (
            [4, 1, 0x1F, 0x90, 192, 0, 2, 1] + text(""),
            .connect(host: "192.0.2.1", port: 8080, reply: granted, rest: [])
        ),
        (
            [4, 1, 0, 80, 0, 0, 0, 9] + text("me") + text("a.example"),
            .connect(host: "a.example", port: 80, reply: granted, rest: [])
        ),
        (
            // 0.0.0.0 is an address, as in OpenSSH.
            [4, 1, 0, 80, 0, 0, 0, 0] + text("me"),
            .connect(host: "0.0.0.0", port: 80, reply: granted, rest: [])
        ),
        (
            [5, 1, 0] + [5, 1, 0, 1, 192, 0, 2, 1, 0, 80],
            .connect(host: "192.0.2.1", port: 80, reply: [5, 0] + success, rest: [])
        ),
        (
            [5, 3, 2, 1, 0] + [5, 1, 0, 3, 9] + Array("a.example".utf8) + [0, 80],
            .connect(host: "a.example", port: 80, reply: [5, 0] + success, rest: [])
        ),
        (
            [5, 1, 0] + [5, 1, 0, 4, 0x20, 0x01, 0x0D, 0xB8] + zeros(11) + [1, 1, 0xBB],
            .connect(host: "2001:db8::1", port: 443, reply: [5, 0] + success, rest: [])
        ),
        (
            // What comes at once is for the other end.
            [5, 1, 0] + [5, 1, 0, 1, 127, 0, 0, 1, 0, 80] + Array("GET /".utf8),
            .connect(
                host: "127.0.0.1",
                port: 80,
                reply: [5, 0] + success,
                rest: Array("GET /".utf8)
            )
        ),
        ([4, 2, 0, 80, 192, 0, 2, 1] + text("me"), .failed("command 2")),
        ([4, 1, 0, 80, 192, 0, 2, 1] + bytes(1100, 65), .failed("a text without an end")),
        (
            [4, 1, 0, 80, 0, 0, 0, 9] + text("me") + bytes(1100, 65),
            .failed("a text without an end")
        ),
        ([5, 1, 2], .failed("no method without a password")),
        ([5, 0], .failed("no method without a password")),
        ([5, 1, 0] + [5, 2, 0, 1, 192, 0, 2, 1, 0, 80], .failed("command 2")),
        ([5, 1, 0] + [5, 1, 0, 2, 192, 0, 2, 1, 0, 80], .failed("address of kind 2")),
        ([5, 1, 0] + [4, 1, 0, 1, 192, 0, 2, 1, 0, 80], .failed("version 4")),
        (Array("GET / HTTP/1.1\r\n".utf8), .failed("version 71")),
    ]

    private static let granted: [UInt8] = [0, 90, 0, 0, 0, 0, 0, 0]
    private static let success: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    private static func zeros(_ count: Int) -> [UInt8] { bytes(count, 0) }
    private static func bytes(_ count: Int, _ byte: UInt8) -> [UInt8] {
        [UInt8](repeating: byte, count: count)
    }

    @Test("are read whole", arguments: requests)
    func whole(bytes: [UInt8], expected: Socks.Step) {
        var socks = Socks()
        #expect(socks.take(bytes) == expected)
    }

    @Test("are read byte by byte, with the same replies in the same order", arguments: requests)
    func drip(bytes: [UInt8], expected: Socks.Step) {
        #expect(SocksTests.feed(bytes.map { [$0] }) == expected)
    }

    @Test("are read whatever the cut", arguments: requests)
    func cuts(bytes: [UInt8], expected: Socks.Step) {
        for cut in bytes.indices where cut < 300 {
            let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
            #expect(SocksTests.feed(parts) == expected, "cut at \(cut)")
        }
    }

    @Test("are waited for as long as they are not whole")
    func unfinished() {
        for (bytes, expected) in SocksTests.requests {
            guard case .connect(_, _, _, let rest) = expected else { continue }
            for count in 0..<(bytes.count - rest.count) {
                var socks = Socks()
                guard case .more = socks.take(bytes.prefix(count)) else {
                    Issue.record("\(bytes.prefix(count)) is not whole")
                    continue
                }
            }
        }
    }

    @Test("that are rubbish neither trap nor are kept without a bound", arguments: [1, 2, 3, 4])
    func fuzz(seed: UInt64) {
        var random = Seeded(seed)
        for round in 0..<1_000 {
            var socks = Socks()
            var bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(random.next() % 8) }
            if let (sound, _) = SocksTests.requests.randomElement(using: &random),
                round.isMultiple(of: 2)
            {
                bytes = sound
                for _ in 0...(random.next() % 4) where !bytes.isEmpty {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 256)
                }
            }
            var taken = 0
            var isOver = false
            while !isOver, taken < bytes.count {
                let count = min(1 + Int(random.next() % 9), bytes.count - taken)
                if case .more(let reply) = socks.take(bytes[taken..<(taken + count)]) {
                    #expect(reply.count <= 2, "seed \(seed), round \(round)")
                } else {
                    isOver = true
                }
                taken += count
            }
            // No request is longer than two texts.
            if !isOver {
                let step = socks.take([UInt8](repeating: 1, count: 5000))
                if case .more = step { Issue.record("seed \(seed), round \(round): \(bytes)") }
            }
        }
    }

    /// - Returns: the last step, with all replies before its own.
    private static func feed(_ parts: [[UInt8]]) -> Socks.Step {
        var socks = Socks()
        var replies: [UInt8] = []
        for (index, part) in parts.enumerated() {
            switch socks.take(part) {
            case .more(let reply): replies += reply
            case .connect(let host, let port, let reply, let rest):
                return .connect(
                    host: host,
                    port: port,
                    reply: replies + reply,
                    rest: rest + parts[(index + 1)...].joined()
                )
            case .failed(let reason): return .failed(reason)
            }
        }
        return .more(reply: replies)
    }
}
