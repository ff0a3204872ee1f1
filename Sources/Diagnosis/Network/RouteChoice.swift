public import AWS

/// Whether answers of an instance find their way to the internet.
///
/// A subnet has the table that is given to it, else the VPC's main one; the most specific route
/// wins, and for an address of the internet that is nearly always the one for everything. See
/// "Route tables" in the VPC user guide.
public enum RouteChoice {
    /// The table that a subnet has.
    /// - Parameters:
    ///   - subnet: `subnet-…`.
    ///   - tables: all of the VPC.
    /// - Returns: nil when AWS told of none.
    public static func table(for subnet: String, of tables: [RouteTable]) -> RouteTable? {
        tables.first { $0.subnets.contains(subnet) } ?? tables.first { $0.isMain }
    }

    /// Judges whether the internet can open connections to what is in a subnet.
    /// - Parameters:
    ///   - ends: from where.
    ///   - table: the subnet's.
    /// - Returns: closed also for a way out that lets nobody in.
    public static func judge(_ ends: PathEnds, _ table: RouteTable) -> PathVerdict {
        let routes = table.routes.filter { ends.isIn($0.destination) == true }
        let chosen = routes.max { $0.prefixLength < $1.prefixLength }
        guard let route = chosen else {
            return .closed(
                "\(table.id) has no route to \(ends.everywhere), so that the subnet is private"
            )
        }
        let target = route.target ?? "nothing"
        let seen = "\(table.id) routes \(route.destination) to \(target)"
        if route.isBlackhole { return .closed("\(seen), which is no more (blackhole)") }
        switch kind(of: target) {
        case "igw": return .open(seen)
        case "nat", "eigw":
            return .closed("\(seen), which lets nobody in from outside: the subnet is private")
        default: return .unknown("\(seen), and what is behind it cannot be seen from here")
        }
    }

    private static func kind(of target: String) -> String {
        String(target.prefix { $0 != "-" })
    }
}

extension RouteTable.Route {
    fileprivate var prefixLength: Int {
        destination.split(separator: "/").last.flatMap { Int($0) } ?? 0
    }
}
