import Foundation
import TestSupport
import Testing

@testable import Resume

/// Bytes that no remote half would send: nothing may trap, nothing may grow.
///
/// `RESUME_FUZZ` sets how many rounds there are (3000).
@Suite struct HostileTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["RESUME_FUZZ"].flatMap(Int.init) ?? 3000

    /// Frames of both layers with their fields at random, some of them wrong.
    private func anything(_ random: inout Seeded) -> [UInt8] {
        let numbers: [UInt32] = [0, 1, 2, 3, 5, 255, 65_536, .max]
        let number = numbers.randomElement(using: &random) ?? 0
        let types: [UInt8] = [1, 2, 3, 4, 5, 9, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x19, 0x1a, 0xee]
        let type = types.randomElement(using: &random) ?? 1
        let rest = random.bytes(Int.random(in: 0...12, using: &random))
        let lengths: [UInt32] = [0, 3, 3, 900]
        let text = wire(4, lengths.randomElement(using: &random) ?? 0) + Array("abc".utf8)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return frame(type, wire(4, number) + rest)
        case 1: return frame(type, wire(4, number) + wire(4, number) + [3] + text + rest)
        case 2: return frame(type, wire(4, number))
        default: return frame(type, text + rest)
        }
    }

    private func linkFrame(_ random: inout Seeded, _ offset: inout Int) -> [UInt8] {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return frame(0x11, wire(8, random.next() % 200) + wire(8, random.next() % 200))
        case 1: return frame(0x12, wire(8, random.next()))
        case 2: return frame(UInt8.random(in: 0...0x17, using: &random), random.bytes(9))
        case 3: return Talk.welcome(generation: UInt32.random(in: 1...3, using: &random))
        default:
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) { bytes += anything(&random) }
            let start = max(0, offset - (Bool.random(using: &random) ? 0 : 5))
            let fresh = bytes
            defer { offset += fresh.count - (offset - start) }
            return frame(0x10, wire(8, start) + fresh)
        }
    }

    @Test("Frames with anything in them are taken or refused, and keep their bounds")
    func frames() throws {
        var errors = 0
        for seed in 0..<UInt64(HostileTests.rounds) {
            var random = Seeded(seed)
            var talk = try Talk(window: 65_536)
            var offset = 0
            do {
                for _ in 0..<40 {
                    let bytes = linkFrame(&random, &offset)
                    for event in try talk.hear(bytes) { react(event, &talk, bytes.count, &random) }
                    if Int.random(in: 0..<4, using: &random) == 0 { _ = talk.taken() }
                    talk.now += .milliseconds(50)
                }
            } catch is ResumeError {
                errors += 1
            }
            #expect(talk.session.backlog < 2 << 20)
            #expect(talk.session.streams.count <= ResumeSession.offerLimit + 40)
        }
        #expect(errors > HostileTests.rounds / 2)
    }

    /// What an owner might do.
    private func react(
        _ event: ResumeSession.Event,
        _ talk: inout Talk,
        _ count: Int,
        _ random: inout Seeded
    ) {
        switch event {
        case .output(let place), .errorOutput(let place), .data(_, let place):
            #expect(place.lowerBound >= 0 && place.upperBound <= count && !place.isEmpty)
            if Bool.random(using: &random) { talk.session.notePutDown(place.count, now: talk.now) }
        case .offered(let offer): talk.session.accept(offer.stream)
        case .ended(let stream): talk.session.close(stream)
        default: if Bool.random(using: &random) { _ = talk.session.open(.unix(path: "/x")) }
        }
    }

    @Test("A conversation in which bytes are changed, left out or doubled is taken or refused")
    func mutations() throws {
        // What a real one consists of.
        var script = RemoteHalf.Script()
        script.output = Seeded(9).firstBytes(3000)
        script.readsInput = false
        let host = RemoteHalf(script, seed: 1)
        let link = host.connect(isExec: true)
        var talk = try Talk(isUp: false)
        talk.session.attach(.exec, now: talk.now)
        host.receive(talk.taken(), from: link)
        for _ in 0..<4 {
            host.work()
            host.flush(limit: 1 << 20)
        }
        let conversation = link.outgoing
        #expect(conversation.count > 3200)
        for seed in 0..<UInt64(HostileTests.rounds) {
            var random = Seeded(seed)
            var bytes = conversation
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<min(bytes.count, 250), using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[place], at: place)
                }
            }
            var talk = try Talk(isUp: false)
            talk.session.attach(.exec, now: talk.now)
            _ = talk.taken()
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...900, using: &random))
                guard (try? talk.hear(Array(bytes[start..<end]))) != nil else { break }
                start = end
            }
            #expect(talk.session.backlog < 1 << 20)
        }
    }
}
