/// The version of an agent, as in `3.3.1611.0`, and what it can.
public struct AgentVersion: Comparable, Sendable {
    private let numbers: [Int]

    /// Reads a version; what is no number counts as 0.
    /// - Parameter text: numbers with dots between.
    public init(_ text: String) {
        numbers = text.split(separator: ".").map { Int($0) ?? 0 }
    }

    /// Whether one version is older than another.
    public static func < (left: AgentVersion, right: AgentVersion) -> Bool {
        left.numbers.lexicographicallyPrecedes(right.numbers)
    }

    /// Whether it carries many connections in a session that forwards a port.
    public var hasMany: Bool { self > AgentVersion("3.0.196.0") }

    /// Whether it ends a session of many connections unless something comes every half a minute;
    /// for others that something would defeat the idle timeout of sessions.
    public var needsKeepalive: Bool { self <= AgentVersion("3.1.1511.0") }
}
