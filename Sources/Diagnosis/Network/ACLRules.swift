public import AWS

/// Whether a subnet's network ACL lets a connection in and its answers out.
///
/// Entries are looked at by number, the first that fits decides, and nothing is remembered: the
/// answers go out to one of the client's ephemeral ports, for which there must be an entry too.
/// See "Network ACLs" in the VPC user guide.
public enum ACLRules {
    /// Judges a connection.
    /// - Parameters:
    ///   - ends: from where, to which port.
    ///   - acl: the subnet's.
    /// - Returns: closed with the entry that denies.
    public static func judge(_ ends: PathEnds, _ acl: NetworkACL) -> PathVerdict {
        let inbound = decide(ends, acl, isOutbound: false, ports: ends.port...ends.port)
        if case .open(let way) = inbound {
            let outbound = decide(ends, acl, isOutbound: true, ports: ephemeral)
            if case .open(let back) = outbound { return .open("\(way), \(back)") }
            return outbound
        }
        return inbound
    }

    /// What clients' ports may be: those of Linux, Windows and NAT gateways together.
    private static let ephemeral = 1024...65535

    private static func decide(
        _ ends: PathEnds,
        _ acl: NetworkACL,
        isOutbound: Bool,
        ports: ClosedRange<Int>
    ) -> PathVerdict {
        let what =
            isOutbound
            ? "outbound tcp ports \(ports.lowerBound)-\(ports.upperBound)"
            : "inbound tcp port \(ports.lowerBound)"
        let entries = acl.entries.filter { $0.isOutbound == isOutbound && $0.isForTCP }
            .sorted { $0.number < $1.number }
        // Ports that no entry has decided about yet.
        var open = [ports]
        var doubt: NetworkACL.Entry?
        for entry in entries {
            let common = open.compactMap { $0.common(with: entry.ports) }
            guard !common.isEmpty else { continue }
            guard let fits = ends.isIn(entry.range) else {
                doubt = doubt ?? entry
                continue
            }
            guard fits else { continue }
            if let doubt, doubt.isAllowed != entry.isAllowed {
                return .unknown(
                    "\(acl.id) decides about \(what) by entry \(doubt.name) for \(doubt.range), "
                        + "and whether this machine is in it is not known"
                )
            }
            if !entry.isAllowed {
                return .closed(
                    "\(acl.id) denies \(ends.source ?? entry.range) \(what): entry \(entry.name) "
                        + "denies \(entry.range)"
                )
            }
            open = open.flatMap { $0.without(entry.ports) }
            if open.isEmpty { return .open("\(acl.id) entry \(entry.name) allows \(what)") }
        }
        return .closed("\(acl.id) has no entry that allows \(ends.source ?? "") \(what)")
    }
}

extension NetworkACL.Entry {
    fileprivate var isForTCP: Bool { transport == "-1" || transport == "6" }
    /// As the console shows it.
    fileprivate var name: String { number == 32767 ? "*" : "\(number)" }
}

extension ClosedRange<Int> {
    fileprivate func common(with other: ClosedRange<Int>?) -> ClosedRange<Int>? {
        guard let other else { return self }
        return overlaps(other) ? clamped(to: other) : nil
    }

    /// What is left of it; nil stands for all ports.
    fileprivate func without(_ other: ClosedRange<Int>?) -> [ClosedRange<Int>] {
        guard let other else { return [] }
        guard overlaps(other) else { return [self] }
        var rest: [ClosedRange<Int>] = []
        if lowerBound < other.lowerBound { rest.append(lowerBound...(other.lowerBound - 1)) }
        if upperBound > other.upperBound { rest.append((other.upperBound + 1)...upperBound) }
        return rest
    }
}
