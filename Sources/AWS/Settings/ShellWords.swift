/// Splits a line into words as a shell would, without ever being one (Python's `shlex.split`).
///
/// Quotes of both kinds group; a backslash keeps the next character, between double quotes only
/// another backslash or double quote.
/// - Parameter line: the line.
/// - Returns: nil when a quote is not closed, or the line ends in a backslash.
func shellWords(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var rest = Substring(line)
    while let character = rest.popFirst() {
        switch character {
        case "'":
            guard let end = rest.firstIndex(of: "'") else { return nil }
            word = (word ?? "") + rest[..<end]
            rest = rest[rest.index(after: end)...]
        case "\"":
            guard let quoted = takeQuoted(&rest) else { return nil }
            word = (word ?? "") + quoted
        case "\\":
            guard let next = rest.popFirst() else { return nil }
            word = (word ?? "") + String(next)
        case " ", "\t", "\r", "\n", "\r\n":
            if let done = word { words.append(done) }
            word = nil
        default:
            word = (word ?? "") + String(character)
        }
    }
    return words + (word.map { [$0] } ?? [])
}

/// Up to and with the closing double quote.
private func takeQuoted(_ rest: inout Substring) -> String? {
    var text = ""
    while let character = rest.popFirst() {
        switch character {
        case "\"":
            return text
        case "\\":
            guard let next = rest.popFirst() else { return nil }
            text += next == "\\" || next == "\"" ? String(next) : "\\\(next)"
        default:
            text.append(character)
        }
    }
    return nil
}
