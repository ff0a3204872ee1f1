/// The id of a message: a UUID (RFC 9562), in the order in which it is written as text.
public struct MessageID: Sendable, Hashable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Makes an id of random bits.
    /// - Parameter generator: where they come from.
    public init(using generator: inout some RandomNumberGenerator) {
        high = generator.next() & ~0xf000 | 0x4000
        low = generator.next() & ~(3 << 62) | 2 << 62
    }

    /// Reads an id from the 16 bytes of a frame, which has its second half first.
    init(wire: ArraySlice<UInt8>) {
        low = wire.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        high = wire.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// As a frame has it, in two halves.
    var wire: [UInt64] { [low, high] }

    /// Lower case, with dashes, as in `826f3571-15c8-498e-9273-27332c34919a`.
    public var description: String { String(decoding: text, as: UTF8.self) }

    /// The same in bytes.
    var text: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for half in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                text.append(digits[Int(half >> UInt64(shift) & 15)])
                if [8, 13, 18, 23].contains(text.count) { text.append(UInt8(ascii: "-")) }
            }
        }
        return text
    }
}

private let digits = Array("0123456789abcdef".utf8)
