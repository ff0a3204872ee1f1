internal import Posix

/// A range of addresses in CIDR notation (RFC 4632), IPv4 or IPv6.
public struct AddressRange: Sendable, Equatable {
    private let bytes: [UInt8]
    private let length: Int
    /// Bytes of an address of its family.
    var width: Int { bytes.count }

    /// Reads a range.
    /// - Parameter text: such as `203.0.113.0/24` or `::/0`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = addressBytes(String(parts[0])),
            let length = UInt8(parts[1]), length <= bytes.count * 8
        else { return nil }
        self.bytes = bytes
        self.length = Int(length)
    }

    /// Whether an address is in the range.
    /// - Parameter address: in digits.
    /// - Returns: false also for what is of the other family, or no address at all.
    public func contains(_ address: String) -> Bool {
        guard let other = addressBytes(address), other.count == bytes.count else { return false }
        let whole = length / 8
        guard other.prefix(whole) == bytes.prefix(whole) else { return false }
        let rest = length % 8
        if rest == 0 { return true }
        let mask = UInt8(truncatingIfNeeded: 0xff << (8 - rest))
        return other[whole] & mask == bytes[whole] & mask
    }
}
