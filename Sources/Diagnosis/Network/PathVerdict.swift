/// What a rule of a VPC's network says of a connection; each with what was seen.
public enum PathVerdict: Sendable, Equatable {
    /// It is let through.
    case open(String)
    /// It is not.
    case closed(String)
    /// What was seen is not enough to tell.
    case unknown(String)
}

/// A connection from this machine to a port of an instance, as the VPC's rules see it.
public struct PathEnds: Sendable, Equatable {
    /// This machine's address as it is seen from outside; nil when nobody could tell.
    public var source: String?
    /// Whether it is IPv6 that is spoken, when the source is not known.
    public var isIPv6: Bool
    /// The port at the instance; TCP.
    public var port: Int

    /// Describes a connection.
    /// - Parameters:
    ///   - source: this machine's address.
    ///   - isIPv6: whether it is IPv6 that is spoken.
    ///   - port: the port at the instance.
    public init(from source: String?, isIPv6: Bool = false, port: Int) {
        self.source = source
        self.isIPv6 = source?.utf8.contains(UInt8(ascii: ":")) ?? isIPv6
        self.port = port
    }

    /// The range that holds every address of the family.
    var everywhere: String { isIPv6 ? "::/0" : "0.0.0.0/0" }
}

extension PathEnds {
    /// The range of the source alone.
    var ownRange: String? { source.map { $0 + (isIPv6 ? "/128" : "/32") } }

    /// Whether a range holds the source; nil when only the source could tell.
    func isIn(_ range: String) -> Bool? {
        if range == everywhere { return true }
        guard let range = AddressRange(range) else { return nil }
        guard let source else { return isOtherFamily(range) ? false : nil }
        return range.contains(source)
    }

    private func isOtherFamily(_ range: AddressRange) -> Bool {
        AddressRange(everywhere)?.isSameFamily(as: range) == false
    }
}

extension AddressRange {
    fileprivate func isSameFamily(as other: AddressRange) -> Bool { width == other.width }
}
