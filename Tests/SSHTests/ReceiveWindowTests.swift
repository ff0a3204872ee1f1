import Testing

@testable import SSH

struct ReceiveWindowTests {
    @Test(
        "a window is what a gigabit brings in a round trip, within limits",
        arguments: [
            (Duration.zero, ReceiveWindow.least), (.milliseconds(1), ReceiveWindow.least),
            (.milliseconds(16), ReceiveWindow.least), (.milliseconds(40), 5_000_000),
            (.milliseconds(80), 10_000_000), (.milliseconds(200), ReceiveWindow.most),
            (.seconds(3), ReceiveWindow.most),
        ]
    )
    func sizes(roundTrip: Duration, size: Int) {
        var window = ReceiveWindow()
        window.open(after: roundTrip)
        #expect(window.raise() == size)
    }

    @Test func theLeastRoundTripCounts() {
        var window = ReceiveWindow()
        window.open(after: .seconds(5))
        #expect(window.size == ReceiveWindow.most)
        window.noteRoundTrip(.milliseconds(1))
        window.noteRoundTrip(.seconds(1))
        #expect(window.size == ReceiveWindow.least)
    }

    @Test func itIsRaisedWhenAnEighthWasTaken() {
        var window = ReceiveWindow()
        window.open(after: .milliseconds(1))
        window.take(ReceiveWindow.least / 8 - 1)
        #expect(!window.isDue)
        window.take(1)
        #expect(window.isDue)
        _ = window.raise()
        #expect(!window.isDue)
    }

    @Test func nothingIsRaisedBeforeTheChannelIsOpen() {
        var window = ReceiveWindow()
        window.take(1 << 30)
        #expect(!window.isDue)
        #expect(window.raise() == nil)
    }
}
