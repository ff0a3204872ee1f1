extension XMLElement {
    /// Reads a document as AWS's services write it.
    ///
    /// Attributes, comments and processing instructions are passed over. There is no document type:
    /// no entities but the five of XML itself, nothing that grows or reaches out.
    /// - Parameter bytes: UTF-8.
    /// - Returns: the outermost element.
    /// - Throws: ``XMLError`` at the first thing that is not what XML 1.0 allows, is deeper than 32
    ///   elements, or has more than a million.
    public static func parse(_ bytes: [UInt8]) throws(XMLError) -> XMLElement {
        var reader = XMLReader(bytes)
        return try reader.document()
    }
}

/// What is wrong with a text that should be XML.
public struct XMLError: Error, Equatable {
    /// Where, in bytes from 0.
    public let offset: Int
    /// What is wrong there, such as `a document type`.
    public let reason: String
}

/// Reads XML from front to back; every byte is looked at before it is taken.
private struct XMLReader {
    private let bytes: [UInt8]
    private var offset = 0
    private var count = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(XMLError) -> XMLElement {
        take("\u{feff}")
        try skipMisc()
        guard next == UInt8(ascii: "<") else { throw error("expected an element") }
        offset += 1
        let root = try element(depth: 1)
        try skipMisc()
        if next != nil { throw error("expected the end") }
        return root
    }

    /// From behind the `<` of its first tag to behind its last tag.
    private mutating func element(depth: Int) throws(XMLError) -> XMLElement {
        count += 1
        if depth > deepest { throw error("too deep") }
        if count > most { throw error("too many elements") }
        let name = try self.name()
        if try !attributes() { return XMLElement(local(name)) }

        var text: [UInt8] = []
        var children: [XMLElement] = []
        while true {
            try characters(into: &text)
            if take("</") { break }
            if take("<!--") {
                try skip(to: "-->")
            } else if take("<![CDATA[") {
                let begin = offset
                try skip(to: "]]>")
                text += bytes[begin..<(offset - 3)]
            } else if take("<?") {
                try skip(to: "?>")
            } else if take("<!") {
                throw error("a declaration inside an element")
            } else {
                offset += 1
                children.append(try element(depth: depth + 1))
            }
        }
        guard try self.name() == name else { throw error("a tag that closes another element") }
        skipBlanks()
        guard take(">") else { throw error("expected '>'") }
        if !children.isEmpty && text.allSatisfy(isBlank) { text = [] }
        guard let text = String(validating: text, as: UTF8.self) else {
            throw error("text is not UTF-8")
        }
        return XMLElement(local(name), text: text, children)
    }

    /// Text up to the next `<`, with references replaced.
    private mutating func characters(into text: inout [UInt8]) throws(XMLError) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: "<"):
                return
            case UInt8(ascii: "&"):
                offset += 1
                text += String(try reference()).utf8
            default:
                if byte < 0x20 && !isBlank(byte) { throw error("a control character") }
                text.append(byte)
                offset += 1
            }
        }
        throw error("an element is not closed")
    }

    /// What stands between `&` and `;`.
    private mutating func reference() throws(XMLError) -> Unicode.Scalar {
        // The longest is `#x10ffff`.
        let word = bytes[offset...].prefix(9).prefix { $0 != UInt8(ascii: ";") }
        guard word.count < 9, word.endIndex < bytes.endIndex else {
            throw error("an unknown entity")
        }
        offset = word.endIndex + 1
        let text = String(decoding: word, as: UTF8.self)
        if let scalar = entities[text] { return scalar }
        let isHex = text.hasPrefix("#x")
        let digits = text.dropFirst(isHex ? 2 : 1)
        guard text.hasPrefix("#"), digits.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
            let value = UInt32(digits, radix: isHex ? 16 : 10),
            let scalar = Unicode.Scalar(value), value >= 0x20 || isBlank(UInt8(value))
        else { throw error("an unknown entity") }
        return scalar
    }

    /// - Returns: false when the tag ended in `/>`, so that nothing is in the element.
    private mutating func attributes() throws(XMLError) -> Bool {
        while true {
            let isApart = skipBlanks()
            if take(">") { return true }
            if take("/>") { return false }
            guard isApart else { throw error("expected a blank") }
            _ = try name()
            skipBlanks()
            guard take("=") else { throw error("expected '='") }
            skipBlanks()
            guard let quote = next, quote == 0x22 || quote == 0x27 else {
                throw error("expected a value in quotes")
            }
            offset += 1
            while let byte = next, byte != quote {
                if byte == UInt8(ascii: "<") { throw error("a '<' in a value") }
                offset += 1
            }
            guard next == quote else { throw error("a value is not closed") }
            offset += 1
        }
    }

    private mutating func name() throws(XMLError) -> ArraySlice<UInt8> {
        let name = bytes[offset...].prefix(while: isNameByte)
        guard let first = name.first, !"-.0123456789".utf8.contains(first) else {
            throw error("expected a name")
        }
        offset = name.endIndex
        return name
    }

    private func local(_ name: ArraySlice<UInt8>) -> String {
        let colon = name.lastIndex(of: UInt8(ascii: ":"))
        return String(decoding: colon.map { name[($0 + 1)...] } ?? name, as: UTF8.self)
    }

    /// What may stand before and after the outermost element.
    private mutating func skipMisc() throws(XMLError) {
        while true {
            skipBlanks()
            if take("<?") {
                try skip(to: "?>")
            } else if take("<!--") {
                try skip(to: "-->")
            } else if take("<!") {
                throw error("a document type")
            } else {
                return
            }
        }
    }

    private mutating func skip(to end: String) throws(XMLError) {
        while offset < bytes.endIndex {
            if take(end) { return }
            offset += 1
        }
        throw error("expected '\(end)'")
    }

    @discardableResult
    private mutating func skipBlanks() -> Bool {
        let begin = offset
        while let byte = next, isBlank(byte) { offset += 1 }
        return offset > begin
    }

    private var next: UInt8? { offset < bytes.endIndex ? bytes[offset] : nil }

    @discardableResult
    private mutating func take(_ text: String) -> Bool {
        guard bytes[offset...].starts(with: text.utf8) else { return false }
        offset += text.utf8.count
        return true
    }

    private func error(_ reason: String) -> XMLError { XMLError(offset: offset, reason: reason) }
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
}

/// Letters, digits, `-`, `.`, `_`, `:` and everything beyond ASCII (XML 1.0 §2.3).
private func isNameByte(_ byte: UInt8) -> Bool {
    (0x41...0x5a).contains(byte & ~0x20) || (0x2d...0x3a).contains(byte) && byte != 0x2f
        || byte == 0x5f || byte >= 0x80
}

private let entities: [String: Unicode.Scalar] = [
    "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'",
]
/// Nothing of EC2's is deeper than 12.
private let deepest = 32
/// A page of 1000 instances has some hundred thousand.
private let most = 1_000_000
