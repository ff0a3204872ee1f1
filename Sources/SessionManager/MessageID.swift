/// The id of a message: a UUID (RFC 9562), in the order in which it is written as text.
public struct MessageID: Sendable, Hashable, CustomStringConvertible {
    /// 16 bytes.
    public let bytes: [UInt8]

    /// Makes an id of random bits.
    /// - Parameter generator: where they come from.
    public init(using generator: inout some RandomNumberGenerator) {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        self.bytes = bytes
    }

    /// Reads an id from the 16 bytes of a frame, which has its second half first.
    init(wire: ArraySlice<UInt8>) { bytes = Array(wire.suffix(8) + wire.prefix(8)) }

    /// As a frame has it.
    var wire: [UInt8] { Array(bytes.suffix(8) + bytes.prefix(8)) }

    /// Lower case, with dashes, as in `826f3571-15c8-498e-9273-27332c34919a`.
    public var description: String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
