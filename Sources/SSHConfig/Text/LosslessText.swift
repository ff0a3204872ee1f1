/// Keeps text that is not UTF-8 in a String without losing a byte.
///
/// Paths, names and commands in files and argv are bytes; nearly all are UTF-8. A byte that is not
/// becomes U+10FF00 plus its value, the end of the last private plane, and is turned back by
/// ``bytes(_:)``. Where those characters themselves occur they are kept byte by byte, so that the
/// way back is always exact.
public enum LosslessText {
    /// Makes a String of any bytes.
    /// - Parameter bytes: UTF-8 or not.
    /// - Returns: the text; equal texts come from equal bytes only.
    public static func string(_ bytes: [UInt8]) -> String { string(bytes[...]) }

    /// Makes a String of any bytes.
    /// - Parameter bytes: UTF-8 or not.
    /// - Returns: the text; equal texts come from equal bytes only.
    public static func string(_ bytes: ArraySlice<UInt8>) -> String {
        // Every stand-in begins with F4 8F, so text without F4 needs no second look.
        if !bytes.contains(0xF4), let text = String(validating: bytes, as: UTF8.self) {
            return text
        }
        var text = String.UnicodeScalarView()
        var rest = bytes
        while let first = rest.first {
            var decoder = UTF8()
            var iterator = rest.makeIterator()
            guard case .scalarValue(let scalar) = decoder.decode(&iterator), scalar.value < 0x10FF80
            else {
                text.append(standIn(first))
                rest.removeFirst()
                continue
            }
            text.append(scalar)
            rest.removeFirst(UTF8.width(scalar))
        }
        return String(text)
    }

    /// Gives the bytes a text was made of.
    /// - Parameter text: from ``string(_:)``, or any String.
    /// - Returns: the bytes for the system: a path, an argument, a name.
    public static func bytes(_ text: String) -> [UInt8] {
        guard text.utf8.contains(0xF4) else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x10FF80 {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes += UTF8.encode(scalar).map(Array.init) ?? []
            }
        }
        return bytes
    }

    private static func standIn(_ byte: UInt8) -> Unicode.Scalar {
        Unicode.Scalar(0x10FF00 + UInt32(byte)) ?? "\u{FFFD}"
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case ..<0x80: 1
        case ..<0x800: 2
        case ..<0x10000: 3
        default: 4
        }
    }
}
