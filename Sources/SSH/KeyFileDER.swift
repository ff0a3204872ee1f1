/// Keys in ASN.1's binary form, which PEM only wraps; enough of it to tell them apart.
///
/// X.690 §8.1. The whole of a structure is left to libssh.
enum DERKey {
    /// Finds out what a binary file holds.
    /// - Parameter bytes: the whole file.
    /// - Returns: PEM's label and base64; nil when it is no private key.
    static func wrap(_ bytes: [UInt8]) -> (label: String, body: [UInt8])? {
        guard isWhole(bytes), let label = label(of: bytes) else { return nil }
        return (label, Base64.encodedBytes(bytes))
    }

    /// Whether the bytes are one sequence that ends where it says.
    static func isWhole(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        return element(sequence, &rest) != nil && rest.isEmpty
    }

    /// Tells the forms apart by their first fields.
    ///
    /// - PKCS#1 is INTEGER 0, INTEGER n, …; SEC1 is INTEGER 1, OCTET STRING, …;
    /// - PKCS#8 is INTEGER 0, SEQUENCE, OCTET STRING; encrypted SEQUENCE, OCTET STRING alone.
    private static func label(of bytes: [UInt8]) -> String? {
        var rest = bytes[...]
        guard var fields = element(sequence, &rest) else { return nil }
        if element(sequence, &fields) != nil {
            let isEncrypted = element(octetString, &fields) != nil && fields.isEmpty
            return isEncrypted ? "ENCRYPTED PRIVATE KEY" : nil
        }
        guard let version = element(integer, &fields) else { return nil }
        switch (version, fields.first) {
        case ([0], integer): return "RSA PRIVATE KEY"
        case ([1], octetString): return "EC PRIVATE KEY"
        case ([0], sequence), ([1], sequence): return "PRIVATE KEY"
        default: return nil
        }
    }

    /// Takes one element off the front.
    /// - Returns: its contents; nil, and nothing is taken, when it has another tag or is cut off.
    static func element(_ tag: UInt8, _ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var bytes = rest
        guard bytes.popFirst() == tag, let first = bytes.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7f)
            // Four bytes of length are beyond any file we read.
            guard (1...4).contains(count), bytes.count >= count else { return nil }
            length = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            bytes = bytes.dropFirst(count)
        }
        guard bytes.count >= length else { return nil }
        rest = bytes.dropFirst(length)
        return bytes.prefix(length)
    }

    static let integer: UInt8 = 0x02
    static let octetString: UInt8 = 0x04
    static let sequence: UInt8 = 0x30
}
