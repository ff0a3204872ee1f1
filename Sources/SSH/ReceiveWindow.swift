internal import CLibSSH

/// How much the server may send before we have taken it: what the link needs.
///
/// libssh keeps 1.25 MB, which over a round trip of 100 ms is 12 MB/s at best. The window is what
/// ``rate`` brings in a round trip, and no less than OpenSSH's; near by, that is all that can fill
/// our memory when our reader stops.
struct ReceiveWindow {
    /// OpenSSH's CHAN_SES_WINDOW_DEFAULT.
    static let least = 2 << 20
    /// As much as may ever lie in our memory.
    static let most = 12 << 20
    /// Bytes in a second that a window is made for: a link of a gigabit.
    private static let rate = 125_000_000

    private var isOpen = false
    private var taken = 0
    /// The least time the server took to answer a request.
    private var roundTrip = Duration.zero

    /// Bytes the server may send in all.
    var size: Int {
        let microseconds = Int(clamping: roundTrip.components.attoseconds / 1_000_000_000_000)
        let fill =
            roundTrip >= .seconds(1)
            ? ReceiveWindow.most : microseconds * (ReceiveWindow.rate / 1_000_000)
        return max(ReceiveWindow.least, min(fill, ReceiveWindow.most))
    }

    /// Notes that the channel is open, and how long that took.
    mutating func open(after time: Duration) {
        isOpen = true
        roundTrip = time
    }

    /// Makes a raise due, for a channel that has begun with libssh's own window.
    mutating func askForRaise() { taken = size }

    /// Notes how long the server took to answer.
    mutating func noteRoundTrip(_ time: Duration) {
        roundTrip = min(roundTrip, time)
    }

    /// Notes that bytes were taken out of our hands.
    mutating func take(_ count: Int) { taken += count }

    /// Whether so much was taken since the last raise that it is worth a packet.
    var isDue: Bool { isOpen && taken >= size / 8 }

    /// The size to raise the window to now.
    /// - Returns: nil as long as the channel is not open.
    mutating func raise() -> Int? {
        guard isOpen else { return nil }
        taken = 0
        return size
    }
}

/// Where libssh may put what it reads in passing while a window is raised.
///
/// Really as long as a window, as libssh is told; not touched, so that it takes no memory.
@safe final class ReceiveScratch {
    private let bytes: UnsafeMutableRawBufferPointer

    init() {
        unsafe bytes = .allocate(byteCount: ReceiveWindow.most, alignment: 4096)
    }

    deinit { unsafe bytes.deallocate() }

    /// Raises a channel's receive window.
    ///
    /// C: `ssh_channel_read_timeout`, which raises it for whoever wants to read more than there is.
    /// - Parameters:
    ///   - handle: an open channel with nothing in its buffers.
    ///   - size: bytes the server may then send in all.
    ///   - receive: what arrived during the call.
    func raiseWindow(
        of handle: OpaquePointer,
        to size: Int,
        receive: (UnsafeRawBufferPointer) -> Void
    ) {
        let count = unsafe ssh_channel_read_timeout(
            handle,
            bytes.baseAddress,
            UInt32(min(size, bytes.count)),
            0,
            0
        )
        if count > 0 { unsafe receive(UnsafeRawBufferPointer(rebasing: bytes[..<Int(count)])) }
    }
}
