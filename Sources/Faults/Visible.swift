/// Makes text safe to show on a terminal, as OpenSSH's log does.
///
/// Text from the network may hold escape sequences. Printable ASCII, blanks, tabs, newlines,
/// carriage returns, backspaces and bells stay; a backslash is doubled; every other byte becomes
/// `\ooo`, three octal digits (vis(3), VIS_SAFE and VIS_OCTAL).
/// - Parameter bytes: any bytes, UTF-8 or not.
/// - Returns: ASCII text.
public func visible(_ bytes: some Sequence<UInt8>) -> String {
    // One copy into an array makes the loop run on plain memory, whatever the sequence is.
    var text: [UInt8] = []
    for byte in Array(bytes) {
        switch byte {
        case UInt8(ascii: "\\"):
            text += [byte, byte]
        case 0x20...0x7e, 0x07...0x0a, 0x0d:
            text.append(byte)
        default:
            let digits = [byte >> 6, byte >> 3 & 7, byte & 7].map { UInt8(ascii: "0") + $0 }
            text += [UInt8(ascii: "\\")] + digits
        }
    }
    return String(decoding: text, as: UTF8.self)
}
