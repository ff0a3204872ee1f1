/// Text as the C library's functions see it: bytes, ASCII rules for case and kind.
typealias Bytes = [UInt8]

extension UInt8 {
    /// As C: `tolower` does for ASCII.
    var lowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
    /// As C: `isdigit`.
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    /// As C: `isalpha` for ASCII.
    var isLetter: Bool { lowercased >= 0x61 && lowercased <= 0x7A }
    /// As C: `isspace`.
    var isSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0D) }
    /// As C: `iscntrl` for ASCII.
    var isControl: Bool { self < 0x20 || self == 0x7F }
    /// What separates words of a configuration line; C: `WHITESPACE` in `misc.c`.
    var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D || self == 0x0A }
    /// A blank or tab, which separate arguments; C: `argv_split`.
    var isSpaceOrTab: Bool { self == 0x20 || self == 0x09 }
}

extension Sequence<UInt8> {
    /// As C: `lowercase` in `misc.c`.
    func lowercased() -> Bytes { map(\.lowercased) }
}

extension Collection<UInt8> {
    /// Compares without regard to case, as C: `strcasecmp`.
    func isWord(_ word: String) -> Bool {
        let other = word.utf8
        return count == other.count
            && zip(self, other).allSatisfy { $0.lowercased == $1.lowercased }
    }

    /// Compares bytes, as C: `strcmp`.
    func isExactly(_ word: String) -> Bool { elementsEqual(word.utf8) }

    /// Splits at a byte, keeping empty parts, as C: `strsep`.
    func parts(_ separator: Character) -> [SubSequence] {
        split(separator: separator.asciiValue ?? 0, omittingEmptySubsequences: false)
    }

    /// As ``parts(_:)``, up to the first empty part, which is where OpenSSH's list loops end.
    func partsToFirstEmpty(_ separator: Character) -> ArraySlice<SubSequence> {
        parts(separator).prefix { !$0.isEmpty }
    }
}

extension String {
    /// Compares without regard to the case of ASCII letters, as C: `strcasecmp`.
    func isWord(_ word: String) -> Bool { utf8.isWord(word) }
}
