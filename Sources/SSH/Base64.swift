/// Base64 as in OpenSSH's files: RFC 4648 §4, with its padding.
enum Base64 {
    /// Writes bytes in base64.
    /// - Parameters:
    ///   - bytes: any bytes.
    ///   - padded: whether the end is filled up with `=`; fingerprints are not.
    /// - Returns: the text, on one line.
    static func encode(_ bytes: some Sequence<UInt8>, padded: Bool = true) -> String {
        String(decoding: encodedBytes(bytes, padded: padded), as: UTF8.self)
    }

    /// As ``encode(_:padded:)``, where bytes are wanted.
    static func encodedBytes(_ bytes: some Sequence<UInt8>, padded: Bool = true) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount / 3 * 4 + 4)
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(alphabet[Int(bits >> UInt32(held) & 0x3f)])
            }
        }
        if held > 0 { text.append(alphabet[Int(bits << UInt32(6 - held) & 0x3f)]) }
        while padded && text.count % 4 != 0 { text.append(padding) }
        return text
    }

    /// Reads base64, passing over blanks and line ends as OpenSSH does.
    ///
    /// C: `b64_pton`.
    /// - Parameter text: the text, with its padding.
    /// - Returns: the bytes; nil when a character, the length or the padding is wrong.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.underestimatedCount / 4 * 3 + 3)
        var bits: UInt32 = 0
        var digits = 0
        var paddings = 0
        for character in text where !isBlank(character) {
            if character == padding {
                paddings += 1
                continue
            }
            let value = values[Int(character)]
            guard value < 64, paddings == 0 else { return nil }
            bits = bits << 6 | UInt32(value)
            digits += 1
            if digits % 4 == 0 {
                bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
                bytes.append(UInt8(truncatingIfNeeded: bits))
            }
        }
        // What is left over must be padded to four, and its unused bits be zero.
        switch (digits % 4, paddings) {
        case (0, 0):
            return bytes
        case (2, 2) where bits & 0xf == 0:
            bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
            return bytes
        case (3, 1) where bits & 0x3 == 0:
            bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
            return bytes
        default:
            return nil
        }
    }

    private static func isBlank(_ character: UInt8) -> Bool {
        character == 0x20 || (0x09...0x0d).contains(character)
    }

    private static let padding = UInt8(ascii: "=")
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )
    /// The value of each character, 255 for those that are none; as long as a byte has values.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
