/// Fields of a frame, read and written as PROTOCOL.md has them, without the code under test.
struct Fields {
    var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = Array(bytes)[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> [UInt8] {
        precondition(count <= rest.count, "a field ends early")
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func number(_ width: Int) -> UInt64 { take(width).reduce(0) { $0 << 8 | UInt64($1) } }

    mutating func u8() -> UInt8 { UInt8(number(1)) }
    mutating func u32() -> UInt32 { UInt32(number(4)) }
    mutating func string() -> String { String(decoding: take(Int(u32())), as: UTF8.self) }
}

func wire(_ width: Int, _ number: some BinaryInteger) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}

func wire(_ string: String) -> [UInt8] { wire(4, string.utf8.count) + Array(string.utf8) }

func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [type] + wire(3, payload.count) + payload
}

/// Takes the first whole frame out of bytes that came.
func takeFrame(_ bytes: inout [UInt8]) -> (type: UInt8, payload: [UInt8])? {
    guard bytes.count >= 4 else { return nil }
    let length = Int(bytes[1]) << 16 | Int(bytes[2]) << 8 | Int(bytes[3])
    guard bytes.count >= 4 + length else { return nil }
    let payload = Array(bytes[4..<(4 + length)])
    let type = bytes[0]
    bytes.removeFirst(4 + length)
    return (type, payload)
}
