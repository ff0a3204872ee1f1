internal import CLibSSH
internal import Posix

/// How much the server may send before we have taken it: grown to what the link needs.
///
/// libssh keeps 1.25 MB, which over a round trip of 100 ms is 6 MB/s. It grows the window for a
/// caller that wants to read more at once, so one is asked for bytes that are not there. The
/// window begins at OpenSSH's size and is doubled whenever the server filled it within about a
/// round trip, so that only a link that needs it can put that much into our memory.
struct ReceiveWindow {
    /// OpenSSH's CHAN_SES_WINDOW_DEFAULT.
    static let least = 2 << 20
    /// Enough for 80 MB/s over 100 ms.
    static let most = 8 << 20

    var isOpen = false
    /// Bytes taken since the window was raised last.
    var consumed = 0
    private var size = least

    /// Whether so much was taken that it is worth a packet.
    var isDue: Bool { isOpen && consumed >= size / 8 }

    /// The size to raise the window to.
    mutating func grant() -> Int? {
        guard isOpen else { return nil }
        consumed = 0
        return size
    }

    mutating func note(_ now: Instant) {}
}

extension Session {
    /// Raises a channel's receive window.
    ///
    /// C: `ssh_channel_read_timeout` with a size that is not there.
    /// - Parameters:
    ///   - handle: an open channel with nothing in its buffers.
    ///   - size: bytes the server may then send in all.
    ///   - receive: what arrived during the call.
    func raiseWindow(
        of handle: OpaquePointer,
        to size: Int,
        receive: (UnsafeRawBufferPointer) -> Void
    ) {
        // Really so long, as libssh may fill it; not touched, so it takes no memory.
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { unsafe scratch.deallocate() }
        let count = unsafe ssh_channel_read_timeout(
            handle,
            scratch.baseAddress,
            UInt32(size),
            0,
            0
        )
        if count > 0 { unsafe receive(UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)])) }
    }
}
