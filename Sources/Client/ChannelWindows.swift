/// How much may be sent over a channel, both ways (RFC 4254 §5.2).
struct ChannelWindows: Equatable {
    /// What the other side may send before we have taken it; OpenSSH's CHAN_SES_WINDOW_DEFAULT.
    static let granted: UInt32 = 2 << 20
    /// The longest packet of data we take, as OpenSSH's CHAN_SES_PACKET_DEFAULT.
    static let packet: UInt32 = 32 << 10

    /// Bytes that we may send.
    private(set) var sendable = 0
    /// Bytes that we may send in one message.
    private(set) var longest = 0

    private var receivable = Int(ChannelWindows.granted)
    private var taken = 0

    /// Begins with what the other side grants.
    /// - Parameters:
    ///   - window: bytes.
    ///   - packet: the longest message of them; none is as good as no window.
    mutating func open(window: UInt32, packet: UInt32) {
        sendable = Int(window)
        longest = Int(min(packet, ChannelWindows.packet))
    }

    /// How many of so many bytes may go into the next message.
    func allowance(for count: Int) -> Int { min(count, sendable, longest) }

    /// Notes that bytes were sent.
    mutating func send(_ count: Int) { sendable -= count }

    /// Takes more room.
    /// - Throws: ``MuxMalformed`` when that is more than a window can be.
    mutating func widen(by count: UInt32) throws(MuxMalformed) {
        guard sendable + Int(count) <= Int(UInt32.max) else { throw MuxMalformed(what: "window") }
        sendable += Int(count)
    }

    /// Notes that bytes have come.
    /// - Throws: ``MuxMalformed`` when there was no room for them.
    mutating func receive(_ count: Int) throws(MuxMalformed) {
        guard count <= receivable else { throw MuxMalformed(what: "more data than the window") }
        receivable -= count
    }

    /// Notes that bytes were put down.
    /// - Returns: the room to give back; nil as long as it is not worth a message.
    mutating func putDown(_ count: Int) -> UInt32? {
        taken += count
        guard taken >= Int(ChannelWindows.granted) / 8 else { return nil }
        defer { taken = 0 }
        receivable += taken
        return UInt32(clamping: taken)
    }
}
