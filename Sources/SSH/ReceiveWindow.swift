internal import CLibSSH
internal import Posix

/// How much the server may send before we have taken it: grown to what the link needs.
///
/// libssh keeps 1.25 MB, which over a round trip of 100 ms is 6 MB/s. The window begins at
/// OpenSSH's size. A window's worth that came within about a round trip has waited for the window
/// and not for us or the link, so the window is doubled; where that never happens, no more than
/// the least size can fill our memory when our reader stops.
struct ReceiveWindow {
    /// OpenSSH's CHAN_SES_WINDOW_DEFAULT.
    static let least = 2 << 20
    /// Enough for about 100 MB/s over 100 ms.
    static let most = 12 << 20

    /// Bytes the server may send in all, as of the last raise.
    private(set) var size = least
    private var isOpen = false
    private var taken = 0
    /// The least time the server took to answer a request.
    private var roundTrip: Duration?
    private var measure: (start: Instant, taken: Int)?

    /// Notes that the channel is open, and how long that took.
    mutating func open(after time: Duration) {
        isOpen = true
        noteRoundTrip(time)
    }

    /// Notes how long the server took to answer.
    mutating func noteRoundTrip(_ time: Duration) {
        roundTrip = min(roundTrip ?? time, time)
    }

    /// Notes that bytes were taken out of our hands.
    mutating func take(_ count: Int) { taken += count }

    /// Whether so much was taken since the last raise that it is worth a packet.
    var isDue: Bool { isOpen && taken >= size / 8 }

    /// The size to raise the window to now.
    /// - Parameter now: the time.
    /// - Returns: nil as long as the channel is not open.
    mutating func raise(_ now: Instant) -> Int? {
        guard isOpen else { return nil }
        grow(now)
        taken = 0
        return size
    }

    /// Notes that a turn of the loop is over: the first one that brought bytes begins the measure.
    mutating func turn(_ now: Instant) {
        if measure == nil && taken > 0 { measure = (now, 0) }
    }

    private mutating func grow(_ now: Instant) {
        guard let roundTrip, var measure else { return }
        measure.taken += taken
        if measure.taken >= size {
            let isLimit = now - measure.start < roundTrip + roundTrip / 2
            if isLimit { size = min(size * 2, ReceiveWindow.most) }
            measure = (now, 0)
        }
        self.measure = measure
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
