/// The lines of a console's output, without what logs have put before those of cloud-init's.
/// - Parameter output: as GetConsoleOutput gives it, decoded; only its end is read.
/// - Returns: trimmed lines; those that nothing we look for is as long as are left out.
func consoleLines(_ output: [UInt8]) -> [String] {
    output.suffix(mostBytes).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })
        .filter { $0.count <= longestLine }
        .map { withoutLogPrefix(String(decoding: $0, as: UTF8.self)) }
}

/// AWS keeps 64 KB; a live serial console gives no more either.
private let mostBytes = 1 << 20
/// An RSA key of 16,384 bits has 2,800 characters.
private let longestLine = 4096

/// Takes off what a log has put before a line of cloud-init's: `<14>`, a date, a host, the time
/// since the start, and `cloud-init: `, `cloud-init[1727]: ` or `ec2: `.
///
/// Words with a colon before those, such as `sshd[7]: `, are another program's: what it says may
/// be somebody else's text.
private func withoutLogPrefix(_ raw: String) -> String {
    let line = trimmed(raw[...])
    var place = line.startIndex
    while let end = line[place...].firstIndex(of: ":") {
        let after = line.index(after: end)
        if after < line.endIndex, line[after] == " " {
            let tag = line[..<end].split(whereSeparator: { $0 == " " || $0 == ">" }).last ?? ""
            let isOurs = tag == "ec2" || tag == "cloud-init" || isCloudInit(tag)
            return isOurs ? String(trimmed(line[line.index(after: after)...])) : String(line)
        }
        place = after
    }
    return String(line)
}

private func isCloudInit(_ tag: Substring) -> Bool {
    let opening = "cloud-init["
    guard tag.hasPrefix(opening), tag.hasSuffix("]") else { return false }
    return tag.dropFirst(opening.count).dropLast().allSatisfy(\.isNumber)
}

private func trimmed(_ text: Substring) -> Substring {
    let isBlank = { (scalar: Unicode.Scalar) in scalar.value <= 0x20 || scalar.value == 0x7f }
    let start = text.unicodeScalars.drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
    return Substring(start[...last])
}
