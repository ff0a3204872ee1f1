public import AWS

/// Whether the security groups of an instance let a connection in.
///
/// They only ever allow, and remember connections, so that what comes back needs no rule. See
/// "Security group rules" in the VPC user guide.
public enum InboundRules {
    /// Judges a connection.
    /// - Parameters:
    ///   - ends: from where, to which port.
    ///   - groups: all of the instance's; it is enough that one lets it in.
    ///   - prefixLists: the ranges of those lists that could be read.
    /// - Returns: closed with the rules there are for the port.
    public static func judge(
        _ ends: PathEnds,
        _ groups: [SecurityGroup],
        prefixLists: [String: [String]] = [:]
    ) -> PathVerdict {
        let rules = groups.flatMap { group in
            group.inbound.filter { $0.covers(port: ends.port) }.map { (group: group.id, rule: $0) }
        }
        var doubts: [String] = []
        for (group, rule) in rules {
            let lists = rule.prefixLists.map { ($0, prefixLists[$0]) }
            let ranges = rule.ranges + lists.flatMap { $0.1 ?? [] }
            if let range = ranges.first(where: { ends.isIn($0) == true }) {
                return .open("\(group) lets \(range) in on \(rule.portText)")
            }
            doubts += ranges.filter { ends.isIn($0) == nil }
            doubts += lists.filter { $0.1 == nil }.map(\.0)
            doubts += rule.groups.map { "members of \($0)" }
        }
        let names = groups.map(\.id).joined(separator: ", ")
        let source = ends.source ?? "this machine, whose address is not known,"
        // Members of a group are seen by private addresses; from outside nobody is one.
        let unread = doubts.filter { !$0.hasPrefix("members of ") }
        guard unread.isEmpty else {
            return .unknown(
                "\(names) has rules for \(unread.joined(separator: ", ")) on port \(ends.port), "
                    + "and whether \(source) is among them is not known"
            )
        }
        let seen = rules.flatMap { pair in
            (pair.rule.ranges + pair.rule.prefixLists + pair.rule.groups).map {
                "\(pair.rule.portText) from \($0)"
            }
        }
        let what = seen.isEmpty ? "no rule for it at all" : "only \(shown(seen))"
        return .closed("\(names) does not let \(source) in on tcp port \(ends.port): \(what)")
    }

    private static func shown(_ rules: [String]) -> String {
        let most = 5
        let rest = rules.count - most
        return rules.prefix(most).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }
}

extension SecurityGroup.Rule {
    fileprivate func covers(port: Int) -> Bool {
        switch transport {
        case "-1": true
        case "tcp", "6": ports?.contains(port) ?? true
        default: false
        }
    }

    fileprivate var portText: String {
        guard transport != "-1" else { return "all ports" }
        guard let ports else { return "all tcp ports" }
        return ports.count == 1
            ? "tcp port \(ports.lowerBound)" : "tcp ports \(ports.lowerBound)-\(ports.upperBound)"
    }
}
