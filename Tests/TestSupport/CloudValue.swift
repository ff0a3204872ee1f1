/// A value in an order to the lab's cloud, written as a literal.
public enum CloudValue: Encodable, Sendable {
    case text(String)
    case number(Double)
    case whole(Int)
    case truth(Bool)
    case list([CloudValue])
    case table([String: CloudValue])
    case nothing

    /// Writes it as JSON has it.
    /// - Throws: what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var one = encoder.singleValueContainer()
        switch self {
        case .text(let value): try one.encode(value)
        case .number(let value): try one.encode(value)
        case .whole(let value): try one.encode(value)
        case .truth(let value): try one.encode(value)
        case .list(let value): try one.encode(value)
        case .table(let value): try one.encode(value)
        case .nothing: try one.encodeNil()
        }
    }
}

extension CloudValue: ExpressibleByStringInterpolation {
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
}

extension CloudValue: ExpressibleByIntegerLiteral {
    /// A whole number.
    public init(integerLiteral value: Int) { self = .whole(value) }
}

extension CloudValue: ExpressibleByFloatLiteral {
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
}

extension CloudValue: ExpressibleByBooleanLiteral {
    /// A truth.
    public init(booleanLiteral value: Bool) { self = .truth(value) }
}

extension CloudValue: ExpressibleByNilLiteral {
    /// Nothing.
    public init(nilLiteral: ()) { self = .nothing }
}

extension CloudValue: ExpressibleByArrayLiteral {
    /// A list.
    public init(arrayLiteral elements: CloudValue...) { self = .list(elements) }
}

extension CloudValue: ExpressibleByDictionaryLiteral {
    /// A table.
    public init(dictionaryLiteral elements: (String, CloudValue)...) {
        self = .table(Dictionary(elements) { $1 })
    }
}
