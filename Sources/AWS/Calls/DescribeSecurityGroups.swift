/// What a security group lets in.
public struct SecurityGroup: Sendable, Equatable {
    /// One rule: traffic from any of its sources is let in.
    public struct Rule: Sendable, Equatable {
        /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
        public var transport: String
        /// The ports; nil for all.
        public var ports: ClosedRange<Int>?
        /// IPv4 and IPv6 ranges, such as `203.0.113.0/24`.
        public var ranges: [String] = []
        /// Lists of ranges: `pl-…`.
        public var prefixLists: [String] = []
        /// Groups whose members are let in: `sg-…`.
        public var groups: [String] = []

        /// Begins a rule without sources.
        public init(transport: String, ports: ClosedRange<Int>?) {
            self.transport = transport
            self.ports = ports
        }
    }

    /// `sg-…`.
    public var id: String
    /// Its name.
    public var name: String
    /// What is let in.
    public var inbound: [Rule]

    /// Describes a group.
    public init(id: String, name: String = "", inbound: [Rule] = []) {
        self.id = id
        self.name = name
        self.inbound = inbound
    }
}

extension ServiceCaller {
    /// Tells what security groups let in.
    ///
    /// EC2 API: `DescribeSecurityGroups`. IAM: `ec2:DescribeSecurityGroups`.
    /// - Parameter ids: `sg-…`, at least one.
    /// - Returns: in AWS's order.
    /// - Throws: ``ServiceError``.
    public func securityGroups(_ ids: [String]) async throws(ServiceError) -> [SecurityGroup] {
        let answer = try await query(
            .ec2,
            action: "DescribeSecurityGroups",
            version: ec2Version,
            zip(ids, 1...).map { .init("GroupId.\($1)", $0) }
        )
        return answer.items("securityGroupInfo").compactMap { item in
            guard let id = item.text("groupId") else { return nil }
            return SecurityGroup(
                id: id,
                name: item.text("groupName") ?? "",
                inbound: item.items("ipPermissions").map(SecurityGroup.Rule.init)
            )
        }
    }
}

extension SecurityGroup.Rule {
    fileprivate init(_ element: XMLElement) {
        let first = element.text("fromPort").flatMap { Int($0) }
        let last = element.text("toPort").flatMap { Int($0) }
        var ports: ClosedRange<Int>?
        if let first, let last, first >= 0, first <= last { ports = first...last }
        self.init(transport: element.text("ipProtocol") ?? "-1", ports: ports)
        ranges =
            element.items("ipRanges").compactMap { $0.text("cidrIp") }
            + element.items("ipv6Ranges").compactMap { $0.text("cidrIpv6") }
        prefixLists = element.items("prefixListIds").compactMap { $0.text("prefixListId") }
        groups = element.items("groups").compactMap { $0.text("groupId") }
    }
}
