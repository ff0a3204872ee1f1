/// Takes words from a configuration line the old way, as C: `strdelim` in `misc.c`.
///
/// Words end at blanks or one `=`. A quote may open in the middle of a word and ends it when it
/// closes. Used for keywords and Match lines.
struct WordCursor {
    private let bytes: Bytes
    /// Where the next word begins; nil when the last word reached the end of the line.
    private var position: Int?

    init(_ bytes: Bytes) {
        self.bytes = bytes
        position = 0
    }

    /// Whether all of the line was taken.
    var isAtEnd: Bool { position.map { $0 >= bytes.count } ?? true }

    /// What was not taken yet, nil when the last word reached the end of the line.
    var rest: ArraySlice<UInt8>? { position.map { bytes[min($0, bytes.count)...] } }

    /// Marks everything as taken.
    mutating func finish() { position = nil }

    /// Takes the next word, which may be empty.
    /// - Returns: nil at the end, and after a quote that does not close.
    mutating func next() -> Bytes? {
        guard let start = position else { return nil }
        guard
            let end = bytes[start...].firstIndex(where: {
                $0.isBlank || $0 == quote || $0 == equals
            })
        else {
            position = nil
            return Array(bytes[start...])
        }
        if bytes[end] == quote {
            guard let close = bytes[(end + 1)...].firstIndex(of: quote) else {
                position = nil
                return nil
            }
            position = afterBlanks(close + 1)
            return Array(bytes[start..<end] + bytes[(end + 1)..<close])
        }
        var next = afterBlanks(end + 1)
        // One `=` may stand between blanks.
        if bytes[end] != equals, next < bytes.count, bytes[next] == equals {
            next = afterBlanks(next + 1)
        }
        position = next
        return Array(bytes[start..<end])
    }

    private func afterBlanks(_ index: Int) -> Int {
        bytes[index...].firstIndex { !$0.isBlank } ?? bytes.count
    }

    private let quote = UInt8(ascii: "\"")
    private let equals = UInt8(ascii: "=")
}

/// Splits a line into arguments, as C: `argv_split` in `misc.c`.
///
/// Single and double quotes may open anywhere in an argument; a backslash protects quotes, itself
/// and, outside of quotes, a blank.
/// - Parameters:
///   - bytes: the line after its keyword.
///   - endsAtComment: whether an argument that begins with `#` ends the line.
/// - Returns: the arguments, nil when a quote does not close.
func splitArguments(_ bytes: some Collection<UInt8>, endsAtComment: Bool = true) -> [Bytes]? {
    var arguments: [Bytes] = []
    var argument = Bytes()
    var isInArgument = false
    var quote: UInt8?
    var iterator = bytes.makeIterator()
    var lookahead: UInt8?
    while let byte = lookahead ?? iterator.next() {
        lookahead = nil
        if !isInArgument {
            if byte.isSpaceOrTab { continue }
            if endsAtComment, byte == UInt8(ascii: "#") { break }
            isInArgument = true
        }
        switch (byte, quote) {
        case (UInt8(ascii: "\\"), _):
            let next = iterator.next()
            switch next {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
                argument.append(next ?? byte)
            case UInt8(ascii: " ") where quote == nil:
                argument.append(UInt8(ascii: " "))
            default:
                argument.append(byte)
                lookahead = next
            }
        case (UInt8(ascii: " "), nil), (UInt8(ascii: "\t"), nil):
            arguments.append(argument)
            argument = []
            isInArgument = false
        case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil):
            quote = byte
        case (let byte, let open) where byte == open:
            quote = nil
        default:
            argument.append(byte)
        }
    }
    if quote != nil { return nil }
    if isInArgument { arguments.append(argument) }
    return arguments
}
