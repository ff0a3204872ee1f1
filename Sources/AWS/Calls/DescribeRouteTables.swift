/// A route table of a VPC.
public struct RouteTable: Sendable, Equatable {
    /// One route.
    public struct Route: Sendable, Equatable {
        /// The range it is for, such as `0.0.0.0/0` or `::/0`; for a prefix list its id.
        public var destination: String
        /// Where it leads: `igw-…`, `nat-…`, `local` and so on; nil when AWS names nothing.
        public var target: String?
        /// Whether it leads to something that is no more (AWS's state `blackhole`).
        public var isBlackhole: Bool

        /// Describes a route.
        public init(_ destination: String, by target: String?, isBlackhole: Bool = false) {
            self.destination = destination
            self.target = target
            self.isBlackhole = isBlackhole
        }
    }

    /// `rtb-…`.
    public var id: String
    /// Whether it is for all subnets that have none of their own.
    public var isMain: Bool
    /// The subnets that are given to it.
    public var subnets: [String]
    /// Its routes.
    public var routes: [Route]

    /// Describes a table.
    public init(id: String, isMain: Bool = false, subnets: [String] = [], routes: [Route] = []) {
        self.id = id
        self.isMain = isMain
        self.subnets = subnets
        self.routes = routes
    }
}

extension ServiceCaller {
    /// Lists the route tables of a VPC.
    ///
    /// EC2 API: `DescribeRouteTables`. IAM: `ec2:DescribeRouteTables`.
    /// - Parameter vpc: `vpc-…`.
    /// - Returns: in AWS's order.
    /// - Throws: ``ServiceError``.
    public func routeTables(of vpc: String) async throws(ServiceError) -> [RouteTable] {
        let answer = try await query(
            .ec2,
            action: "DescribeRouteTables",
            version: ec2Version,
            InstanceFilter.fields([InstanceFilter("vpc-id", exactly: vpc)])
        )
        return answer.items("routeTableSet").compactMap { item in
            guard let id = item.text("routeTableId") else { return nil }
            let associations = item.items("associationSet")
            return RouteTable(
                id: id,
                isMain: associations.contains { $0.text("main") == "true" },
                subnets: associations.compactMap { $0.text("subnetId") },
                routes: item.items("routeSet").compactMap(RouteTable.Route.init)
            )
        }
    }
}

extension RouteTable.Route {
    fileprivate init?(_ element: XMLElement) {
        let destination =
            element.text("destinationCidrBlock") ?? element.text("destinationIpv6CidrBlock")
            ?? element.text("destinationPrefixListId")
        guard let destination else { return nil }
        self.init(
            destination,
            by: targets.lazy.compactMap { element.text($0) }.first,
            isBlackhole: element.text("state") == "blackhole"
        )
    }
}

/// What AWS calls the things that routes lead to.
private let targets = [
    "gatewayId", "natGatewayId", "transitGatewayId", "vpcPeeringConnectionId", "networkInterfaceId",
    "instanceId", "egressOnlyInternetGatewayId", "carrierGatewayId", "localGatewayId",
]
