/// A filter of EC2's Describe calls: one of the values has to be there.
public struct InstanceFilter: Sendable, Equatable {
    /// Such as `tag:Name`.
    public let name: String
    /// Where `*` and `?` stand for other characters.
    public let values: [String]

    /// Makes a filter of patterns.
    /// - Parameters:
    ///   - name: such as `instance-state-name`.
    ///   - values: at most 200, `*` and `?` stand for other characters.
    public init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }

    /// Makes a filter of a text in which no character stands for others.
    /// - Parameters:
    ///   - name: such as `tag:Name`.
    ///   - text: any text.
    public init(_ name: String, exactly text: String) {
        var value = ""
        for character in text {
            if character == "*" || character == "?" || character == "\\" { value += "\\" }
            value.append(character)
        }
        self.init(name, [value])
    }

    /// The parameters that say it (the query form of EC2's API).
    static func fields(_ filters: [InstanceFilter]) -> [APIRequest.Field] {
        var fields: [APIRequest.Field] = []
        for (filter, number) in zip(filters, 1...) {
            fields.append(.init("Filter.\(number).Name", filter.name))
            for (value, place) in zip(filter.values, 1...) {
                fields.append(.init("Filter.\(number).Value.\(place)", value))
            }
        }
        return fields
    }
}
