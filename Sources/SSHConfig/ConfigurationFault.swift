public import Faults

/// Says why a configuration cannot be used, in ssh's words.
public struct ConfigurationFault: Fault, Equatable {
    /// The last line ssh prints, nil when the lines said already are all.
    public let line: String?

    /// Always ``Layer/configuration``.
    public var layer: Layer { .configuration }
    /// The line.
    public var summary: String { line ?? "bad configuration" }
    /// Scripts read these as ssh's; LogLevel QUIET silences them.
    public var words: [String]? { line.map { [$0] } ?? [] }

    /// Makes a fault.
    /// - Parameter line: what ssh's `fatal` would say, nil when everything was said.
    public init(_ line: String?) { self.line = line }
}
