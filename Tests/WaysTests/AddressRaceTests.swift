import Posix
import Testing

@testable import Ways

struct AddressRaceTests {
    @Test(arguments: [
        ([], []),
        (["1.1.1.1"], ["1.1.1.1"]),
        (["::1", "::2", "::3"], ["::1", "::2", "::3"]),
        (["::1", "::2", "::3", "1.1.1.1"], ["::1", "1.1.1.1", "::2", "::3"]),
        (["1.1.1.1", "2.2.2.2", "::1", "::2"], ["1.1.1.1", "::1", "2.2.2.2", "::2"]),
    ])
    func `families take turns, beginning with the system's choice`(
        given: [String],
        order: [String]
    ) throws {
        let addresses = try given.map { try Loopback.address($0) }
        #expect(AddressRace.interleaved(addresses).map(\.host) == order)
    }

    @Test func `the next address is due 250 ms after the one before`() {
        let start = readClock()
        var race = AddressRace(count: 3)
        #expect(race.begin(now: start) == 0)
        #expect(race.begin(now: start) == nil)
        #expect(race.deadline == start + .milliseconds(250))
        #expect(race.begin(now: start + .milliseconds(249)) == nil)
        #expect(race.begin(now: start + .milliseconds(250)) == 1)
        #expect(race.deadline == start + .milliseconds(500))
        #expect(!race.isExhausted)
    }

    @Test func `a failure makes the next address due at once`() {
        let start = readClock()
        var race = AddressRace(count: 2)
        #expect(race.begin(now: start) == 0)
        race.hurry()
        #expect(race.begin(now: start) == 1)
        #expect(race.isExhausted)
        #expect(race.deadline == nil)
        race.hurry()
        #expect(race.begin(now: start) == nil)
    }

    @Test func `a race that is stopped begins no more`() {
        let start = readClock()
        var race = AddressRace(count: 3)
        #expect(race.begin(now: start) == 0)
        race.stop()
        #expect(race.isExhausted)
        #expect(race.deadline == nil)
        #expect(race.begin(now: start + .seconds(1)) == nil)
    }
}
