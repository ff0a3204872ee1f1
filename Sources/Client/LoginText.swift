/// Makes a server's text safe for a terminal without changing what it says, as OpenSSH does with
/// banners and prompts (utf8.c, `fmprintf`).
///
/// Line ends and tabs stay, and characters where the terminal shows them; every other byte becomes
/// three octal digits behind a backslash.
/// - Parameters:
///   - text: any bytes.
///   - isUTF8: whether the terminal shows UTF-8; otherwise it shows ASCII.
/// - Returns: what can be printed.
func printableText(_ text: [UInt8], isUTF8: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var rest = text[...]
    while let byte = rest.first {
        let length = isUTF8 ? characterLength(rest) : 1
        let character = rest.prefix(length)
        rest = rest.dropFirst(length)
        switch byte {
        case 0x20...0x7e, 0x09, 0x0a, 0x0d: result.append(byte)
        case _ where length > 1: result.append(contentsOf: character)
        default: result.append(contentsOf: escape(byte))
        }
    }
    return result
}

/// Whether text is shown as UTF-8 (locale(7)): the first of the variables that is set decides.
func showsUTF8(_ environment: [String: String]) -> Bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"]
    let locale = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
    let charset = locale.lowercased().split(separator: ".").dropFirst().first ?? ""
    return charset.hasPrefix("utf-8") || charset.hasPrefix("utf8")
}

/// How long the character at the start is; 1 when there is none beyond ASCII that can be shown.
private func characterLength(_ text: ArraySlice<UInt8>) -> Int {
    var iterator = text.prefix(4).makeIterator()
    var decoder = UTF8()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return 1 }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator:
        return 1
    default: return UTF8.width(scalar)
    }
}

private func escape(_ byte: UInt8) -> [UInt8] {
    [UInt8(ascii: "\\")] + [6, 3, 0].map { UInt8(ascii: "0") + (byte >> UInt8($0)) & 7 }
}
