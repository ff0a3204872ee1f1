import Foundation
import TestSupport
import Testing

@testable import SSH

/// Made lines, right ones and spoilt ones.
private struct LineMaker {
    var random: Seeded
    static let words = [
        "h", "host.example", "H", "*", "?", "*.example", "!h", "!host.example", "[h]:2222",
        "10.0.0.1",
        "[10.0.0.1]:22", "h,", ",h", "h,!x", "*,!host*", "x", "", "|1|", "|1|AAAA|AAAA", "@revoked",
    ]

    mutating func pick<T>(_ values: [T]) -> T {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    mutating func names() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            let salt = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            let name = Array(pick(["h", "host.example", "[h]:2222", "x"]).utf8)
            return String(decoding: KnownHostsName.hashed(name, salt: salt), as: UTF8.self)
        case 1...4:
            let count = Int.random(in: 1...3, using: &random)
            return (0..<count).map { _ in pick(Self.words) }.joined(separator: ",")
        default:
            return pick(Self.words)
        }
    }

    mutating func line() -> String {
        let marker = pick(["", "", "", "@revoked ", "@cert-authority ", "@bad ", "# "])
        var key = KeyVectors.line(pick(KeyVectors.names))
        switch Int.random(in: 0..<12, using: &random) {
        case 0: key = String(key.dropLast(Int.random(in: 1...40, using: &random)))
        case 1: key = pick(["ssh-rsa", "ssh-new AAAA", "1024 35 11", "", "ssh-ed25519 !"])
        default: break
        }
        let comment = pick(["", " comment", "\t# x", " "])
        return marker + names() + pick([" ", "\t", "  "]) + key + comment + pick(["", "", "\r"])
    }

    mutating func file(_ count: Int) -> String {
        (0..<count).map { _ in line() }.joined(separator: "\n") + pick(["", "\n", "\n\n"])
    }
}

struct KnownHostsFuzzTests {
    @Test("ssh-keygen -F finds the same lines", arguments: [UInt64(1), 2, 3, 4])
    func keygen(seed: UInt64) throws {
        let keygen = "/usr/bin/ssh-keygen"
        try #require(FileManager.default.isExecutableFile(atPath: keygen), "needs ssh-keygen")
        let scratch = KeyScratch()
        var maker = LineMaker(random: Seeded(seed))
        for round in 0..<15 {
            let text = maker.file(30)
            let path = scratch.write("known_hosts", text)
            for name in ["h", "host.example", "[h]:2222", "10.0.0.1"] {
                let (output, _) = runProgram(keygen, ["-l", "-F", name, "-f", path])
                // `# Host NAME found: line NUMBER [CA]`
                let theirs = output.split(whereSeparator: \.isNewline).filter {
                    $0.hasPrefix("# Host")
                }
                .map { $0.split(separator: " ") }
                .compactMap { $0.dropFirst(1 + ($0.firstIndex(of: "line") ?? 0)).first }
                let entries = KnownHosts([KnownHosts.File("f", Array(text.utf8), .user)])
                    .lookUp(name).all
                #expect(
                    entries.map(\.line) == theirs.map { Int($0) },
                    "seed \(seed) round \(round) name \(name)\n\(text)"
                )
            }
        }
    }

    @Test("ssh-keygen finds what we write, hashed or not", arguments: [true, false])
    func written(isHashed: Bool) throws {
        let scratch = KeyScratch()
        let path = "\(scratch.path)/known_hosts"
        for name in KeyVectors.names {
            let addition = KnownHostsAddition(
                names: ["\(name).example", "[10.0.0.1]:2222"],
                key: KeyVectors.key(name),
                isHashed: isHashed
            )
            try addition.append(to: path, home: "")
        }
        for name in KeyVectors.names {
            let (output, status) = runProgram(
                "/usr/bin/ssh-keygen",
                ["-F", "\(name).example", "-f", path]
            )
            #expect(status == 0)
            #expect(output.contains(KeyVectors.line(name)))
        }
        let (output, _) = runProgram("/usr/bin/ssh-keygen", ["-F", "[10.0.0.1]:2222", "-f", path])
        #expect(output.split(separator: "\n").count == 2 * KeyVectors.names.count)
    }

    @Test("What ssh-keygen -H has hashed is found")
    func hashedByKeygen() {
        let scratch = KeyScratch()
        let line = KeyVectors.line("ed25519")
        let path = scratch.write("known_hosts", "h,[h]:2222,10.0.0.1 \(line)\n*.x \(line)\n")
        _ = runProgram("/usr/bin/ssh-keygen", ["-H", "-f", path])
        let hosts = KnownHosts([
            KnownHosts.File("f", Array(scratch.read("known_hosts").utf8), .user)
        ])
        for name in ["h", "[h]:2222", "10.0.0.1", "a.x"] {
            #expect(hosts.lookUp(name).all.count == 1, "\(name)")
        }
    }

    @Test("No bytes trap the reader", arguments: [UInt64(11), 12, 13])
    func bytes(seed: UInt64) {
        var random = Seeded(seed)
        var maker = LineMaker(random: random)
        let key = KeyVectors.key("ed25519")
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            var bytes = Array(maker.file(5).utf8)
            for _ in 0..<Int.random(in: 0...20, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            let hosts = KnownHosts([KnownHosts.File("f", bytes, .user)])
            _ = hosts.lookUp("h").status(of: key)
            _ = hosts.otherNames(of: key, besides: "h", home: "/")
            _ = HostKey(blob: bytes)
        }
    }
}
