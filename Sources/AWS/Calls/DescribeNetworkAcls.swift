/// A network ACL: numbered entries, of which the first that fits decides.
public struct NetworkACL: Sendable, Equatable {
    /// One entry.
    public struct Entry: Sendable, Equatable {
        /// The lowest comes first; 32767 is the last one, shown as `*`, which denies.
        public var number: Int
        /// Whether it is about traffic out of the subnet.
        public var isOutbound: Bool
        /// Whether the traffic is let through.
        public var isAllowed: Bool
        /// An IP protocol's number (6 is TCP), or `-1` for all.
        public var transport: String
        /// The addresses on the other side.
        public var range: String
        /// The ports; nil for all.
        public var ports: ClosedRange<Int>?

        /// Describes an entry.
        public init(
            number: Int,
            isOutbound: Bool = false,
            isAllowed: Bool,
            transport: String = "-1",
            range: String,
            ports: ClosedRange<Int>? = nil
        ) {
            self.number = number
            self.isOutbound = isOutbound
            self.isAllowed = isAllowed
            self.transport = transport
            self.range = range
            self.ports = ports
        }
    }

    /// `acl-…`.
    public var id: String
    /// In any order.
    public var entries: [Entry]

    /// Describes an ACL.
    public init(id: String, entries: [Entry]) {
        self.id = id
        self.entries = entries
    }
}

extension ServiceCaller {
    /// Finds the network ACL of a subnet; each has exactly one.
    ///
    /// EC2 API: `DescribeNetworkAcls`. IAM: `ec2:DescribeNetworkAcls`.
    /// - Parameter subnet: `subnet-…`.
    /// - Returns: nil when AWS tells of none.
    /// - Throws: ``ServiceError``.
    public func networkACL(of subnet: String) async throws(ServiceError) -> NetworkACL? {
        let filter = InstanceFilter("association.subnet-id", exactly: subnet)
        let answer = try await query(
            .ec2,
            action: "DescribeNetworkAcls",
            version: ec2Version,
            InstanceFilter.fields([filter])
        )
        return answer.items("networkAclSet").first.flatMap { item in
            item.text("networkAclId").map { id in
                NetworkACL(
                    id: id,
                    entries: item.items("entrySet").compactMap(NetworkACL.Entry.init)
                )
            }
        }
    }
}

extension NetworkACL.Entry {
    fileprivate init?(_ element: XMLElement) {
        guard let number = element.text("ruleNumber").flatMap({ Int($0) }),
            let range = element.text("cidrBlock") ?? element.text("ipv6CidrBlock")
        else { return nil }
        let first = element["portRange"]?.text("from").flatMap { Int($0) }
        let last = element["portRange"]?.text("to").flatMap { Int($0) }
        var ports: ClosedRange<Int>?
        if let first, let last, first <= last { ports = first...last }
        self.init(
            number: number,
            isOutbound: element.text("egress") == "true",
            isAllowed: element.text("ruleAction") == "allow",
            transport: element.text("protocol") ?? "-1",
            range: range,
            ports: ports
        )
    }
}
