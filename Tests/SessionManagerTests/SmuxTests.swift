import TestSupport
import Testing

@testable import SessionManager

@Suite struct SmuxTests {
    private let start = ContinuousClock.now

    private func smux(keepsAlive: Bool = false) -> Smux { Smux(keepsAlive: keepsAlive, now: start) }

    @Test("Frames are those of smux, version 1: numbers are little-endian, streams odd from 3 on")
    func frames() {
        var smux = smux()
        let first = smux.open()
        #expect(first?.stream == 3)
        #expect(first?.bytes == [1, 0, 0, 0, 3, 0, 0, 0])
        let second = smux.open()
        #expect(second?.bytes == [1, 0, 0, 0, 5, 0, 0, 0])
        #expect(smux.send([7, 8], on: 5) == [1, 2, 2, 0, 5, 0, 0, 0, 7, 8])
        let long = smux.send(Array(repeating: 9, count: 258)[...], on: 3)
        #expect(long.prefix(8) == [1, 2, 2, 1, 3, 0, 0, 0])
        #expect(long.count == 266)
        #expect(smux.close(5) == [1, 1, 0, 0, 5, 0, 0, 0])
        #expect(smux.close(5) == [])
        #expect(smux.send([1], on: 5) == [])
    }

    @Test("What comes is told by connection, whatever the cuts", arguments: 1...13)
    func cuts(size: Int) throws {
        var smux = smux()
        _ = smux.open()
        _ = smux.open()
        let wire: [UInt8] =
            [1, 2, 3, 0, 3, 0, 0, 0, 1, 2, 3] + [1, 3, 0, 0, 0, 0, 0, 0]
            + [1, 2, 2, 0, 5, 0, 0, 0, 4, 5] + [1, 1, 0, 0, 3, 0, 0, 0]
            // Nobody has this one, and this one is closed.
            + [1, 2, 1, 0, 9, 0, 0, 0, 6] + [1, 2, 1, 0, 3, 0, 0, 0, 7]
            + [1, 1, 0, 0, 3, 0, 0, 0] + [1, 2, 1, 0, 5, 0, 0, 0, 8]
        var told: [UInt32: [UInt8]] = [:]
        var closed: [UInt32] = []
        for start in stride(from: 0, to: wire.count, by: size) {
            for event in try smux.receive(Array(wire[start..<min(start + size, wire.count)])) {
                switch event {
                case .data(let stream, let bytes): told[stream, default: []] += bytes
                case .closed(let stream): closed.append(stream)
                }
            }
        }
        #expect(told == [3: [1, 2, 3], 5: [4, 5, 8]])
        #expect(closed == [3])
        // A close ends both directions.
        #expect(smux.send([1], on: 3) == [])
    }

    @Test(
        "What is no smux is named",
        arguments: [
            ([2, 0, 0, 0, 3, 0, 0, 0], Smux.Malformed.version(2)),
            ([1, 4, 0, 0, 3, 0, 0, 0], .command(4)), ([1, 255, 0, 0, 3, 0, 0, 0], .command(255)),
        ] as [([UInt8], Smux.Malformed)]
    )
    func malformed(bytes: [UInt8], error: Smux.Malformed) {
        var smux = smux()
        #expect(throws: error) { try smux.receive(bytes) }
    }

    @Test("An agent that wants signs of life gets one every ten seconds, another none")
    func keepalive() throws {
        var quiet = smux()
        #expect(quiet.deadline == nil)
        #expect(quiet.advance(now: start + .seconds(100)) == [])
        var smux = smux(keepsAlive: true)
        for turn in 1...3 {
            let due = try #require(smux.deadline)
            #expect(due == start + .seconds(10 * turn))
            #expect(smux.advance(now: due - .milliseconds(1)) == [])
            #expect(smux.advance(now: due) == [1, 3, 0, 0, 0, 0, 0, 0])
        }
    }

    @Test("Each side reads what the other writes, of many connections at once", arguments: 1...10)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        var writer = smux()
        var reader = smux()
        let streams = (0..<20).map { _ in
            _ = reader.open()
            return writer.open()?.stream ?? 0
        }
        var sent: [UInt32: [UInt8]] = [:]
        var wire: [UInt8] = []
        for _ in 0..<200 {
            let stream = streams.randomElement(using: &random) ?? 0
            let count = Int.random(in: 0...3000, using: &random)
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(stream)) }
            sent[stream, default: []] += bytes
            wire += writer.send(bytes[...], on: stream)
        }
        var got: [UInt32: [UInt8]] = [:]
        while !wire.isEmpty {
            let count = min(Int.random(in: 1...5000, using: &random), wire.count)
            for event in try reader.receive(Array(wire.prefix(count))) {
                guard case .data(let stream, let bytes) = event else { continue }
                got[stream, default: []] += bytes
            }
            wire.removeFirst(count)
        }
        #expect(got == sent.filter { !$0.value.isEmpty }, "seed \(seed)")
    }

    @Test("Random bytes never trap the reader, and it keeps no more than a header of them")
    func fuzz() {
        var random = Seeded(11)
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end {
            var smux = smux()
            _ = smux.open()
            for _ in 0..<20 {
                var bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                // Most are near enough to be read on.
                if bytes.count > 8, Bool.random(using: &random) {
                    bytes[0] = 1
                    bytes[1] = UInt8.random(in: 0...3, using: &random)
                    bytes.replaceSubrange(5..<8, with: [0, 0, 0])
                }
                guard let events = try? smux.receive(bytes) else { break }
                var told = 0
                for case .data(_, let piece) in events { told += piece.count }
                #expect(told <= bytes.count)
            }
        }
    }

    @Test(
        "What an agent can is told by its version",
        arguments: [
            ("3.0.196.0", false, true), ("3.0.197.0", true, true), ("3.0.1390.0", true, true),
            ("3.1.1511.0", true, true), ("3.1.1512.0", true, false), ("3.3.1611.0", true, false),
            ("10.0.0.0", true, false), ("2.3.722.0", false, true), ("", false, true),
            ("x.y", false, true),
        ]
    )
    func versions(text: String, hasMany: Bool, needsKeepalive: Bool) {
        let version = AgentVersion(text)
        #expect(version.hasMany == hasMany)
        #expect(version.needsKeepalive == needsKeepalive)
    }
}
