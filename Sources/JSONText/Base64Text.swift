/// Writes base64 (RFC 4648 §4), as JSON and HTTP have bytes.
/// - Parameters:
///   - bytes: any bytes.
///   - padded: whether the end is filled up with `=`.
/// - Returns: the text, on one line.
public func base64Encoded(_ bytes: some Sequence<UInt8>, padded: Bool = true) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var held: UInt32 = 0
    for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        held += 8
        while held >= 6 {
            held -= 6
            text.append(base64Digit(bits >> held & 0x3f))
        }
    }
    if held > 0 { text.append(base64Digit(bits << (6 - held) & 0x3f)) }
    while padded && text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return String(decoding: text, as: UTF8.self)
}

private func base64Digit(_ value: UInt32) -> UInt8 {
    switch UInt8(truncatingIfNeeded: value) {
    case let value where value < 26: value + 0x41
    case let value where value < 52: value - 26 + 0x61
    case let value where value < 62: value - 52 + 0x30
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
}

/// Reads base64 (RFC 4648 §4), with its padding, passing over line ends and blanks.
/// - Parameter text: ASCII.
/// - Returns: nil when a character, the length or the padding is wrong.
public func base64Decoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.underestimatedCount / 4 * 3 + 3)
    var bits: UInt32 = 0
    var digits = 0
    var paddings = 0
    for character in text where character != 0x20 && !(0x09...0x0d).contains(character) {
        if character == UInt8(ascii: "=") {
            paddings += 1
            continue
        }
        guard let value = base64Value(character), paddings == 0 else { return nil }
        bits = bits << 6 | value
        digits += 1
        // Six new bits complete a byte whenever fewer than six of it were missing.
        if digits % 4 != 1 {
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32([0, 0, 4, 2][digits % 4])))
        }
    }
    // What fills up the last digit must be zero, and four digits make a group.
    let spare: UInt32 = digits % 4 == 2 ? 0xf : digits % 4 == 3 ? 0x3 : 0
    let isWhole = digits % 4 != 1 && paddings == (4 - digits % 4) % 4
    return isWhole && bits & spare == 0 ? bytes : nil
}

private func base64Value(_ character: UInt8) -> UInt32? {
    switch character {
    case 0x41...0x5a: UInt32(character) - 0x41
    case 0x61...0x7a: UInt32(character) - 0x61 + 26
    case 0x30...0x39: UInt32(character) - 0x30 + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
