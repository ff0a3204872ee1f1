/// Patterns of ssh_config(5): `*`, `?`, lists with commas, `!` in front of what must not match.
enum Patterns {
    /// How a list of patterns judges a text.
    enum Verdict {
        /// Nothing in the list matches.
        case none
        /// One does, and no negated one before the end.
        case match
        /// A negated one does.
        case negated
    }

    /// Patterns of a list from this length on match nothing, and end the list; C: `sub[1024]`.
    static let longestInList = 1023

    /// Matches one pattern byte by byte.
    ///
    /// C: `match_pattern` in `match.c`.
    ///
    /// Where C tries every way to place the stars, this only ever moves the last one, which finds
    /// the same in time proportional to the product of the lengths.
    static func matches(
        _ text: ArraySlice<UInt8>,
        _ pattern: ArraySlice<UInt8>,
        lowercasingPattern: Bool = false
    ) -> Bool {
        var text = text
        var pattern = pattern
        // The pattern behind the last star, and the text it was last tried on.
        var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while let byte = text.first {
            let wanted = lowercasingPattern ? pattern.first?.lowercased : pattern.first
            if wanted == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, text)
            } else if wanted == UInt8(ascii: "?") || wanted == byte {
                pattern = pattern.dropFirst()
                text = text.dropFirst()
            } else if let last = retry {
                pattern = last.pattern
                text = last.text.dropFirst()
                retry = (pattern, text)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Judges a text by a list of patterns.
    ///
    /// C: `match_pattern_list` in `match.c`.
    /// - Parameters:
    ///   - text: compared as it is.
    ///   - list: patterns separated by commas.
    ///   - lowercasingList: for texts that are in lower case already.
    /// - Returns: whether the list covers it.
    static func judge(_ text: Bytes, _ list: Bytes, lowercasingList: Bool = false) -> Verdict {
        var verdict = Verdict.none
        for part in list.parts(",") {
            let isNegated = part.first == UInt8(ascii: "!")
            let pattern = isNegated ? part.dropFirst() : part
            if pattern.count >= longestInList { return .none }
            guard matches(text[...], pattern, lowercasingPattern: lowercasingList) else { continue }
            // What follows the last comma is nothing, not an empty pattern.
            if part.isEmpty, part.startIndex == list.endIndex { continue }
            if isNegated { return .negated }
            verdict = .match
        }
        return verdict
    }

    /// Judges a host name, whose case does not matter.
    ///
    /// C: `match_hostname` in `match.c`.
    static func judgeHost(_ host: Bytes, _ list: Bytes) -> Verdict {
        judge(host.lowercased(), list, lowercasingList: true)
    }
}
