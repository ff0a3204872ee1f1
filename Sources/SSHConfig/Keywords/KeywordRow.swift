internal import Faults

/// One row of the keyword table: a name and how its line is read.
struct KeywordRow: Sendable {
    /// Reads the arguments of a line; what it leaves is an error.
    typealias Read = @Sendable (inout ConfigParser) throws(ConfigParser.Stop) -> Void
    /// A place in the options.
    typealias Place<Value> = any WritableKeyPath<Options, Value> & Sendable

    /// In lower case, as `-G` prints it.
    let name: String
    /// What it sets, nil for what sets nothing.
    let keyword: Keyword?
    let read: Read

    init(_ name: String, _ keyword: Keyword?, _ read: @escaping Read) {
        self.name = name
        self.keyword = keyword
        self.read = read
    }
}

// MARK: Kinds of values, C: the labels `parse_…` in `process_config_line_depth`

extension KeywordRow {
    /// yes or no.
    ///
    /// C: `parse_flag`.
    static func flag(_ name: String, _ keyword: Keyword, _ place: Place<Bool>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            let words = [("true", true), ("false", false), ("yes", true), ("no", false)]
            parser.assign(keyword, place, try parser.word(of: words))
        }
    }

    /// One of a few words.
    ///
    /// C: `parse_multistate`.
    static func choice<Value: Choice>(
        _ name: String,
        _ keyword: Keyword,
        _ place: Place<Value>
    ) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            parser.assign(keyword, place, try parser.word(of: Value.words))
        }
    }

    /// One argument.
    ///
    /// C: `parse_string`.
    static func text(_ name: String, _ keyword: Keyword, _ place: Place<String?>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            let argument = try parser.next(otherwise: "Missing argument.")
            parser.assign(keyword, place, LosslessText.string(argument))
        }
    }

    /// One argument of an option that always has a value.
    ///
    /// C: `parse_string`.
    static func text(_ name: String, _ keyword: Keyword, _ place: Place<String>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            let argument = try parser.next(otherwise: "Missing argument.")
            parser.assign(keyword, place, LosslessText.string(argument))
        }
    }

    /// The rest of the line as it is.
    ///
    /// C: `parse_command`.
    static func command(_ name: String, _ keyword: Keyword, _ place: Place<String?>) -> KeywordRow {
        KeywordRow(name, keyword) { parser in
            parser.assign(keyword, place, LosslessText.string(parser.commandLine))
            parser.takeAll()
        }
    }

    /// A whole number.
    ///
    /// C: `parse_int`.
    static func integer(_ name: String, _ keyword: Keyword, _ place: Place<Int>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            parser.assign(keyword, place, try parser.wholeNumber())
        }
    }

    /// A time in seconds; `none` leaves it unset.
    ///
    /// C: `parse_time`.
    static func time(_ name: String, _ keyword: Keyword, _ place: Place<Int>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            guard let seconds = try parser.time() else { return }
            parser.assign(keyword, place, seconds)
        }
    }

    /// A time in seconds for an option that may be without one.
    ///
    /// C: `parse_time`.
    static func time(_ name: String, _ keyword: Keyword, _ place: Place<Int?>) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            guard let seconds = try parser.time() else { return }
            parser.assign(keyword, place, seconds)
        }
    }

    /// Several words, or `none` alone; the first line with any wins.
    ///
    /// C: `parse_char_array`.
    static func words(
        _ name: String,
        _ keyword: Keyword,
        _ place: Place<[String]>,
        most: Int
    ) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            let words = try parser.wordsOrNone().map { LosslessText.string($0) }
            if parser.isActive, !parser.draft.has(keyword), words.count > most {
                throw .line("too many \(parser.keyword) entries.")
            }
            if !words.isEmpty { parser.assign(keyword, place, words) }
        }
    }

    /// A list of algorithms, perhaps with `+`, `-` or `^` in front, expanded at the end.
    static func algorithms(
        _ name: String,
        _ keyword: Keyword,
        _ place: Place<[String]>,
        _ kind: AlgorithmLists.Kind
    ) -> KeywordRow {
        KeywordRow(name, keyword) { parser throws(ConfigParser.Stop) in
            let argument = try parser.next(otherwise: "Missing argument.")
            try parser.check(argument, kind)
            // Kept as one element until the end; see AlgorithmLists.expand.
            parser.assign(keyword, place, [LosslessText.string(argument)])
        }
    }

    /// Something with rules of its own.
    static func special(
        _ name: String,
        _ keyword: Keyword?,
        _ read: @escaping Read
    ) -> KeywordRow {
        KeywordRow(name, keyword, read)
    }
}

// MARK: Arguments

extension ConfigParser {
    /// The rest of the line, for commands and ProxyJump.
    var commandLine: ArraySlice<UInt8> {
        rest.drop { $0.isBlank || $0 == UInt8(ascii: "=") }
    }

    /// Takes one of a few words.
    ///
    /// C: `parse_multistate_value`.
    mutating func word<Value>(of words: [(String, Value)]) throws(Stop) -> Value {
        let argument = next()
        guard let argument, !argument.isEmpty else {
            sayHere(.error, "missing argument.")
            throw .line("unsupported option \"\(argument == nil ? "(null)" : "")\".")
        }
        guard let found = words.first(where: { argument.isWord($0.0) }) else {
            throw .line("unsupported option \"\(LosslessText.string(argument))\".")
        }
        return found.1
    }

    /// Takes a number from 0 to the largest.
    ///
    /// C: `atoi_err`.
    mutating func wholeNumber() throws(Stop) -> Int {
        guard let argument = next(), !argument.isEmpty else {
            throw .line("integer value missing.")
        }
        switch Numbers.whole(argument[...], 0...Numbers.largest) {
        case .number(let number): return number
        case .problem(let problem): throw .line("integer value \(problem.rawValue).")
        }
    }

    /// Takes a time.
    /// - Returns: seconds, nil for `none`.
    mutating func time() throws(Stop) -> Int? {
        let argument = try next(otherwise: "missing time value.")
        if argument.isExactly("none") { return nil }
        guard let seconds = Numbers.seconds(argument) else { throw .line("invalid time value.") }
        return seconds
    }

    /// Takes all words, of which `none` may only be the single one.
    mutating func wordsOrNone(
        check: (Bytes) throws(Stop) -> Void = { _ in }
    ) throws(Stop) -> [Bytes] {
        var words: [Bytes] = []
        while let argument = next() {
            if argument.isEmpty { throw .line("keyword \(keyword) empty argument") }
            if argument.isWord("none"), !words.isEmpty || !arguments.isEmpty {
                throw .line("keyword \(keyword) \"none\" argument must appear alone.")
            }
            try check(argument)
            words.append(argument)
        }
        return words
    }

    /// Checks a list of algorithms.
    func check(_ list: Bytes, _ kind: AlgorithmLists.Kind) throws(Stop) {
        if list.first == UInt8(ascii: "-") { return }
        let isAddition = list.first == UInt8(ascii: "+") || list.first == UInt8(ascii: "^")
        switch AlgorithmLists.problem(isAddition ? list.dropFirst() : list[...], kind) {
        case .none: return
        case .unknown(let told):
            if let told { say(.error, told) }
            throw .line("\(kind.complaint) '\(LosslessText.string(list))'.")
        }
    }
}
