/// Makes text safe to show on a terminal, as OpenSSH's log does.
///
/// Text from the network may hold escape sequences. Printable ASCII, blanks, tabs, newlines,
/// carriage returns, backspaces and bells stay; a backslash is doubled; every other byte becomes
/// `\ooo`, three octal digits (vis(3), VIS_SAFE and VIS_OCTAL).
/// - Parameter bytes: any bytes, UTF-8 or not.
/// - Returns: ASCII text.
public func visible(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\\"):
            text += "\\\\"
        case 0x20...0x7e, 0x07...0x0a, 0x0d:
            text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 8)
            text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
    return text
}
