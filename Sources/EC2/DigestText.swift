internal import AWS

/// Writes bytes as base64 without padding, as OpenSSH does in fingerprints.
func unpaddedBase64(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var held: UInt32 = 0
    for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        held += 8
        while held >= 6 {
            held -= 6
            text.append(digit(bits >> held & 0x3f))
        }
    }
    if held > 0 { text.append(digit(bits << (6 - held) & 0x3f)) }
    return String(decoding: text, as: UTF8.self)
}

/// Writes bytes as pairs of hexadecimal digits with colons between.
func colonDigits(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
}

/// Reads base64 that stands in one piece.
func base64Bytes(_ text: some StringProtocol) -> [UInt8]? {
    text.utf8.contains { $0 <= 0x20 } ? nil : base64Decoded(text.utf8)
}

private func digit(_ value: UInt32) -> UInt8 {
    switch UInt8(truncatingIfNeeded: value) {
    case let value where value < 26: UInt8(ascii: "A") + value
    case let value where value < 52: UInt8(ascii: "a") + (value - 26)
    case let value where value < 62: UInt8(ascii: "0") + (value - 52)
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
}
