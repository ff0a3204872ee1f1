import Posix
import Testing

@testable import SSH

struct ReceiveWindowTests {
    /// Takes windows' worth of bytes as a sender gives them who fills each window once per `time`.
    private func size(after windows: Int, each time: Duration, roundTrip: Duration) -> Int {
        var now = readClock()
        var window = ReceiveWindow()
        window.open(after: roundTrip)
        _ = window.raise(now)
        for _ in 0..<windows {
            for _ in 0..<8 {
                window.take(window.size / 8)
                now += time / 8
                window.turn(now)
                if window.isDue { _ = window.raise(now) }
            }
        }
        return window.size
    }

    @Test func aLinkThatWaitsForTheWindowGetsTheMost() {
        let size = size(after: 8, each: .milliseconds(101), roundTrip: .milliseconds(100))
        #expect(size == ReceiveWindow.most)
    }

    @Test func aFastLinkNearByKeepsTheLeast() {
        let size = size(after: 500, each: .milliseconds(8), roundTrip: .milliseconds(1))
        #expect(size == ReceiveWindow.least)
    }

    @Test func aSlowReaderKeepsTheLeast() {
        let size = size(after: 20, each: .seconds(1), roundTrip: .milliseconds(100))
        #expect(size == ReceiveWindow.least)
    }

    @Test func theLeastRoundTripCounts() {
        var window = ReceiveWindow()
        var now = readClock()
        window.open(after: .seconds(5))
        window.noteRoundTrip(.milliseconds(1))
        _ = window.raise(now)
        for _ in 0..<100 {
            window.take(window.size / 8)
            now += .milliseconds(1)
            window.turn(now)
            _ = window.raise(now)
        }
        #expect(window.size == ReceiveWindow.least)
    }

    @Test func nothingIsRaisedBeforeTheChannelIsOpen() {
        var window = ReceiveWindow()
        window.take(1 << 30)
        #expect(!window.isDue)
        #expect(window.raise(readClock()) == nil)
    }
}
