/// A file of sections with names and values, as botocore reads AWS's shared files with Python's
/// `RawConfigParser`.
///
/// A line that is deeper than its name's continues the value; a value that begins on the line
/// after its name holds names and values itself. What is in `[DEFAULT]` is in every section. Of
/// comments only whole lines are known. A section or a name that stands twice is an error.
struct INIFile: Sendable, Equatable {
    /// What a name stands for.
    enum Value: Sendable, Equatable {
        case text(String)
        /// One level deeper, as in `services` sections.
        case nested([String: String])
    }

    /// Names in lower case with their values.
    typealias Section = [String: Value]

    /// The sections by their names; in order, for messages and tests.
    private(set) var sections: [(name: String, values: Section)] = []

    static func == (left: INIFile, right: INIFile) -> Bool {
        left.sections.elementsEqual(right.sections) { $0.name == $1.name && $0.values == $1.values }
    }

    /// Reads a file.
    /// - Parameter bytes: UTF-8.
    /// - Throws: ``INIError`` at what botocore would refuse as well.
    init(_ bytes: [UInt8]) throws(INIError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw INIError(line: 0, reason: "not UTF-8")
        }
        var reader = INIReader()
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            try reader.take(line, INIError(line: index + 1, reason: ""))
        }
        sections = try reader.end()
    }

    /// The values of a section.
    subscript(name: String) -> Section? { sections.first { $0.name == name }?.values }
}

/// What is wrong with a shared file.
struct INIError: Error, Equatable {
    /// From 1; 0 for the file as a whole.
    var line: Int
    /// Such as `no section before this`.
    var reason: String

    func saying(_ reason: String) -> INIError { INIError(line: line, reason: reason) }
}

extension INIFile.Section {
    /// The text that a name stands for; nil for none and for nested ones.
    func text(_ name: String) -> String? {
        guard case .text(let text) = self[name] else { return nil }
        return text
    }
}

/// Reads line by line, as `RawConfigParser._read` does.
private struct INIReader {
    private struct Option {
        var name: String
        var lines: [String]
        var line: Int
    }

    private var sections: [(name: String, options: [Option])] = []
    private var current: Int?
    private var indent = 0
    /// Whether the section has a name to which a deeper line can belong.
    private var hasOption = false

    mutating func take(_ line: Substring, _ place: INIError) throws(INIError) {
        let trimmed = trim(line)
        if trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { return }
        if trimmed.isEmpty {
            append("")
            return
        }
        let depth = line.prefix(while: \.isWhitespace).count
        if hasOption && depth > indent {
            append(String(trimmed))
            return
        }
        indent = depth
        if trimmed.hasPrefix("["), let end = trimmed.lastIndex(of: "]"),
            trimmed.index(after: trimmed.startIndex) < end
        {
            try begin(String(trimmed[..<end].dropFirst()), place)
        } else {
            try option(trimmed, place)
        }
    }

    private mutating func begin(_ name: String, _ place: INIError) throws(INIError) {
        // Python lets only `[DEFAULT]` stand twice.
        let old = sections.firstIndex { $0.name == name }
        if old != nil && name != inherited { throw place.saying("section [\(name)] stands twice") }
        if old == nil { sections.append((name, [])) }
        current = old ?? sections.count - 1
        hasOption = false
    }

    private mutating func option(_ line: Substring, _ place: INIError) throws(INIError) {
        guard let current else { throw place.saying("no section before this") }
        guard let delimiter = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            throw place.saying("neither a section nor a name with a value")
        }
        let name = trim(line[..<delimiter]).lowercased()
        if name.isEmpty { throw place.saying("a value without a name") }
        if sections[current].options.contains(where: { $0.name == name }) {
            throw place.saying("\(name) stands twice in [\(sections[current].name)]")
        }
        let value = trim(line[line.index(after: delimiter)...])
        let option = Option(name: name, lines: [String(value)], line: place.line)
        sections[current].options.append(option)
        hasOption = true
    }

    private mutating func append(_ line: String) {
        guard hasOption, let current else { return }
        let last = sections[current].options.count - 1
        sections[current].options[last].lines.append(line)
    }

    func end() throws(INIError) -> [(name: String, values: INIFile.Section)] {
        let base = try values(of: sections.first { $0.name == inherited }?.options ?? [])
        var result: [(name: String, values: INIFile.Section)] = []
        for section in sections where section.name != inherited {
            let own = try values(of: section.options)
            result.append((section.name, base.merging(own) { $1 }))
        }
        return result
    }

    private func values(of options: [Option]) throws(INIError) -> INIFile.Section {
        var values: INIFile.Section = [:]
        for option in options {
            var lines = option.lines
            while lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
            if lines.count > 1 && lines[0].isEmpty {
                values[option.name] = .nested(try nested(lines, option))
            } else {
                values[option.name] = .text(lines.joined(separator: "\n"))
            }
        }
        return values
    }

    private func nested(_ lines: [String], _ option: Option) throws(INIError) -> [String: String] {
        var values: [String: String] = [:]
        for line in lines where !line.isEmpty {
            guard let equals = line.firstIndex(of: "=") else {
                throw INIError(
                    line: option.line,
                    reason: "what is below \(option.name) is no name with a value"
                )
            }
            let value = trim(line[line.index(after: equals)...])
            values[String(trim(line[..<equals]))] = String(value)
        }
        return values
    }
}

/// Without the blanks around it.
func trim(_ text: Substring) -> Substring {
    let begun = text.drop(while: \.isWhitespace)
    guard let last = begun.lastIndex(where: { !$0.isWhitespace }) else {
        return begun[..<begun.startIndex]
    }
    return begun[...last]
}

private let inherited = "DEFAULT"
