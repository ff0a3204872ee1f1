/// Takes apart bytes in SSH's own encoding; past the end every call answers nil.
///
/// RFC 4251 §5.
public struct WireReader: Sendable {
    private var rest: ArraySlice<UInt8>

    /// Begins at the first byte.
    public init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    /// Whether everything has been taken.
    public var isAtEnd: Bool { rest.isEmpty }
    /// Bytes not taken yet.
    public var remaining: ArraySlice<UInt8> { rest }

    /// Takes a number of four bytes, the highest first.
    public mutating func number() -> UInt32? {
        guard let bytes = take(4) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Takes a string: its length in four bytes, then its bytes.
    public mutating func string() -> ArraySlice<UInt8>? {
        let start = self
        guard let length = number(), let bytes = take(Int(length)) else {
            self = start
            return nil
        }
        return bytes
    }

    /// Takes a string that is text.
    public mutating func text() -> String? {
        guard let bytes = string() else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Takes a positive number of any length, without its leading zeros.
    /// - Returns: nil as well when it is negative.
    public mutating func integer() -> ArraySlice<UInt8>? {
        guard let bytes = string(), (bytes.first ?? 0) < 0x80 else { return nil }
        return bytes.drop { $0 == 0 }
    }

    /// Takes so many bytes.
    public mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

/// Puts bytes together in SSH's own encoding.
///
/// RFC 4251 §5.
public struct WireWriter: Sendable {
    /// What was put together.
    public private(set) var bytes: [UInt8] = []

    /// Begins with nothing.
    public init() {}

    /// Adds a number of four bytes.
    public mutating func number(_ value: UInt32) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Adds a string with its length.
    public mutating func string(_ value: some Collection<UInt8>) {
        number(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Adds a positive number of any length: no leading zeros but the one that keeps it positive.
    public mutating func integer(_ value: some Collection<UInt8>) {
        let digits = value.drop { $0 == 0 }
        let needsZero = (digits.first ?? 0) >= 0x80
        number(UInt32(digits.count + (needsZero ? 1 : 0)))
        if needsZero { bytes.append(0) }
        bytes.append(contentsOf: digits)
    }

    /// Adds bytes as they are.
    public mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }
}
