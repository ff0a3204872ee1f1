/// Reads the fields of a frame in their order; numbers are big-endian.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// Reads a number of the type's width.
    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type
    ) throws(ResumeError) -> Number {
        try bytes(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// Reads so many bytes.
    mutating func bytes(_ count: Int) throws(ResumeError) -> [UInt8] {
        guard count <= rest.count else { throw .malformed("a field ends early") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// Reads a length and so many bytes.
    mutating func string() throws(ResumeError) -> [UInt8] {
        let count = try number(UInt32.self)
        return try bytes(Int(clamping: count))
    }

    /// Reads a length and so many bytes of text.
    mutating func text() throws(ResumeError) -> String {
        String(decoding: try string(), as: UTF8.self)
    }

    /// Nothing may be left.
    func finish() throws(ResumeError) {
        if !rest.isEmpty { throw .malformed("bytes after the last field") }
    }
}

extension [UInt8] {
    /// Puts a number behind, big-endian.
    mutating func append(wire number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Puts bytes behind, with their length first.
    mutating func append(string bytes: some Collection<UInt8>) {
        append(wire: UInt32(clamping: bytes.count))
        append(contentsOf: bytes)
    }

    /// Puts the header of a frame behind: its type and its payload's length.
    mutating func append(header type: UInt8, length: Int) {
        append(wire: UInt32(type) << 24 | UInt32(truncatingIfNeeded: length & 0xff_ffff))
    }

    /// Puts a whole frame behind.
    mutating func append(frame type: UInt8, _ payload: [UInt8]) {
        append(header: type, length: payload.count)
        append(contentsOf: payload)
    }
}
