/// A value of JSON (RFC 8259), with the place where it stands, for messages about files.
public struct JSON: Sendable {
    /// The kinds of values.
    public enum Value: Sendable {
        /// `null`
        case null
        /// `true` and `false`
        case bool(Bool)
        /// Any number; whole ones are exact up to 2^53.
        case number(Double)
        /// A text.
        case string(String)
        /// A list.
        case array([JSON])
        /// In the order written; of two with one name the last counts.
        case object([(name: String, value: JSON)])
    }

    /// The value.
    public let value: Value
    /// The line it begins on, from 1; 0 for what was not read.
    public let line: Int

    init(value: Value, line: Int) {
        self.value = value
        self.line = line
    }

    /// Makes a value that is to be written.
    public init(_ value: Value) { self.init(value: value, line: 0) }

    /// Reads a whole text.
    /// - Parameter bytes: UTF-8, with or without a byte order mark.
    /// - Returns: its one value.
    /// - Throws: ``JSONError`` at the first thing that is not JSON.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        var reader = JSONReader(bytes)
        return try reader.document()
    }

    /// The member of an object; nil when there is none, or this is no object.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = value else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The text of a string.
    public var string: String? {
        guard case .string(let text) = value else { return nil }
        return text
    }

    /// A whole number, if it is one.
    public var integer: Int? {
        guard case .number(let number) = value else { return nil }
        return Int(exactly: number)
    }

    /// `true` or `false`.
    public var bool: Bool? {
        guard case .bool(let bool) = value else { return nil }
        return bool
    }

    /// The members of an array.
    public var array: [JSON]? {
        guard case .array(let members) = value else { return nil }
        return members
    }
}

/// What is wrong with a text that should be JSON.
public struct JSONError: Error, Equatable {
    /// The line, from 1.
    public let line: Int
    /// What is wrong there, such as `expected a value`.
    public let reason: String

    /// Says what is wrong.
    /// - Parameters:
    ///   - line: the line, from 1.
    ///   - reason: what is wrong there.
    public init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }
}

/// Reads JSON from front to back.
private struct JSONReader {
    private var rest: ArraySlice<UInt8>
    private var line = 1
    private var count = 0

    init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        rest = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
    }

    mutating func document() throws(JSONError) -> JSON {
        let json = try value(depth: 0)
        if next() != nil { throw error("expected the end") }
        return json
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        if depth > deepest { throw error("too deep") }
        count += 1
        if count > most { throw error("too many values") }
        let first = next()
        let line = line
        switch first {
        case UInt8(ascii: "{"): return JSON(value: .object(try members(depth)), line: line)
        case UInt8(ascii: "["): return JSON(value: .array(try elements(depth)), line: line)
        case UInt8(ascii: "\""): return JSON(value: .string(try string()), line: line)
        case nil: throw error("expected a value, not the end")
        default: return JSON(value: try word(), line: line)
        }
    }

    private mutating func members(
        _ depth: Int
    ) throws(JSONError) -> [(name: String, value: JSON)] {
        var members: [(name: String, value: JSON)] = []
        rest = rest.dropFirst()
        if take("}") { return members }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw error("expected a name in quotes") }
            let name = try string()
            guard take(":") else { throw error("expected ':'") }
            members.append((name, try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw error("expected ',' or '}'") }
        return members
    }

    private mutating func elements(_ depth: Int) throws(JSONError) -> [JSON] {
        var elements: [JSON] = []
        rest = rest.dropFirst()
        if take("]") { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw error("expected ',' or ']'") }
        return elements
    }

    private mutating func string() throws(JSONError) -> String {
        rest = rest.dropFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw error("a string is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"):
                bytes += String(try escape()).utf8
            case 0..<0x20:
                throw error("a string is not closed on its line")
            default:
                bytes.append(byte)
            }
        }
        throw error("a string is not closed")
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let byte = rest.popFirst()
        if byte == UInt8(ascii: "u") { return try codePoint() }
        guard let byte, let scalar = escapes[byte] else { throw error("unknown escape") }
        return scalar
    }

    /// Four hexadecimal digits, or two times four for what is beyond the first plane.
    private mutating func codePoint() throws(JSONError) -> Unicode.Scalar {
        let high = try unit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xd800..<0xdc00).contains(high), rest.starts(with: Array("\\u".utf8)) else {
            throw error("half a surrogate pair")
        }
        rest = rest.dropFirst(2)
        let low = try unit()
        guard (0xdc00..<0xe000).contains(low) else { throw error("half a surrogate pair") }
        let joined = 0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)
        guard let scalar = Unicode.Scalar(joined) else { throw error("half a surrogate pair") }
        return scalar
    }

    private mutating func unit() throws(JSONError) -> UInt32 {
        let digits = rest.prefix(4)
        guard digits.count == 4, !digits.contains(where: { $0 == 0x2b || $0 == 0x2d }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("expected four hexadecimal digits") }
        rest = rest.dropFirst(4)
        return value
    }

    private mutating func word() throws(JSONError) -> JSON.Value {
        let word = rest.prefix { !isBlank($0) && !",:]}[{\"".utf8.contains($0) }
        let text = String(decoding: word, as: UTF8.self)
        defer { rest = rest.dropFirst(word.count) }
        switch text {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            // Swift reads more than JSON has, such as `+1`, `.5`, `0x1` and `nan`.
            let isNumber = word.allSatisfy { "+-.0123456789eE".utf8.contains($0) }
            let isStarted = word.first.map { $0 == 0x2d || (0x30...0x39).contains($0) } ?? false
            // What is too large for any number would be infinite, which JSON has no word for.
            guard isNumber, isStarted, let number = Double(text), number.isFinite else {
                throw error("expected a value")
            }
            return .number(number)
        }
    }

    /// The next byte that is no blank, not taken.
    private mutating func next() -> UInt8? {
        while let byte = rest.first, isBlank(byte) {
            if byte == UInt8(ascii: "\n") { line += 1 }
            rest = rest.dropFirst()
        }
        return rest.first
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private func error(_ reason: String) -> JSONError { JSONError(line: line, reason: reason) }
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
}

private let escapes: [UInt8: Unicode.Scalar] = [
    UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
    UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
    UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
]
/// Nothing of ours is deeper than 4; a stack has its end.
private let deepest = 64
/// Each costs a hundred bytes and more; nothing of ours has a thousandth of them.
private let most = 500_000
