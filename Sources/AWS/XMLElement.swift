/// An element of an XML answer: a name with a text, or with elements.
public struct XMLElement: Sendable, Equatable {
    /// The name without its namespace's prefix.
    public var name: String
    /// Everything written between its tags; empty for blanks around elements.
    public var text: String
    /// The elements in it, in order.
    public var children: [XMLElement]

    /// Makes an element.
    /// - Parameters:
    ///   - name: its name.
    ///   - text: its text.
    ///   - children: its elements.
    public init(_ name: String, text: String = "", _ children: [XMLElement] = []) {
        self.name = name
        self.text = text
        self.children = children
    }

    /// The first element of that name in this one.
    public subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the first element of that name; nil when there is none, or it is empty.
    public func text(_ name: String) -> String? {
        guard let text = self[name]?.text, !text.isEmpty else { return nil }
        return text
    }

    /// The members of a list, as EC2 (`item`) and other services (`member`) write them.
    /// - Parameter name: the list's name, such as `reservationSet`.
    /// - Returns: empty when there is no such list.
    public func items(_ name: String) -> [XMLElement] {
        self[name]?.children.filter { $0.name == "item" || $0.name == "member" } ?? []
    }
}
