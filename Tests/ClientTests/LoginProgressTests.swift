import TestSupport
import Testing

@testable import Client

struct LoginProgressTests {
    private static func packet(_ type: UInt8, size: Int) -> [UInt8] {
        let length = size - 4
        let head = [UInt8(length >> 24), UInt8(length >> 16), UInt8(length >> 8 & 255)]
        let rest = [UInt8](repeating: 0, count: size - 6)
        return head + [UInt8(length & 255), 4, type] + rest
    }

    /// Up to the question for an unknown host key, with and without a key exchange of 1.2 KB.
    private static let banner = Array("SSH-2.0-OpenSSH_9.9p1 Debian-3\r\n".utf8)
    private static let asking = banner + packet(20, size: 1536) + packet(30, size: 1208)

    @Test(
        "A login is under way until its last answer, and a session is none",
        arguments: [
            ([], true), (banner, true), (asking, true),
            (banner + packet(20, size: 1000) + packet(34, size: 24) + packet(32, size: 300), true),
            (asking + packet(21, size: 16), true),
            (asking + packet(21, size: 16) + Array(repeating: 21, count: 899), true),
            (asking + packet(21, size: 16) + Array(repeating: 20, count: 900), false),
            (banner + packet(21, size: 16) + Array(repeating: 20, count: 900), false),
            (banner + [0, 0, 0, 1, 0, 20], false), (banner + [255, 0, 0, 0, 4, 20], false),
            (Array("GET / HTTP/1.1\r\nHost: x".utf8), false),
        ] as [([UInt8], Bool)]
    )
    func parts(_ sent: [UInt8], _ isUnderWay: Bool) {
        for size in [1, 7, 4096] {
            var progress = LoginProgress()
            for start in stride(from: 0, to: sent.count, by: size) {
                progress.note(sent[start..<min(start + size, sent.count)])
            }
            #expect(progress.isUnderWay == isUnderWay)
        }
    }

    @Test("Whatever is sent, it is read to its end")
    func anything() {
        var random = Seeded(7)
        for _ in 0..<200 {
            var progress = LoginProgress()
            progress.note("\n".utf8)
            progress.note((0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) })
            progress.note(repeatElement(0, count: 40_000))
            #expect(!progress.isUnderWay)
        }
    }
}
