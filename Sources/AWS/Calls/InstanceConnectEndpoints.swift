/// An EC2 Instance Connect Endpoint.
public struct InstanceConnectEndpoint: Sendable, Equatable {
    /// Its id, as in `eice-0123456789abcdef0`.
    public var id: String
    /// Where it listens.
    public var name: String?
    /// Where it listens with FIPS 140's algorithms.
    public var fipsName: String?
    /// Its subnet.
    public var subnet: String?
    /// Its availability zone.
    public var zone: String?

    /// Describes an endpoint.
    public init(
        id: String,
        name: String?,
        fipsName: String? = nil,
        subnet: String? = nil,
        zone: String? = nil
    ) {
        self.id = id
        self.name = name
        self.fipsName = fipsName
        self.subnet = subnet
        self.zone = zone
    }
}

extension ServiceCaller {
    /// The endpoints of a VPC that work.
    ///
    /// Source: `DescribeInstanceConnectEndpoints`; the states are those AWS's own client takes.
    /// - Parameter vpc: `vpc-…`
    /// - Returns: in AWS's order; empty if there are none.
    /// - Throws: ``ServiceError``.
    public func instanceConnectEndpoints(
        in vpc: String
    ) async throws(ServiceError) -> [InstanceConnectEndpoint] {
        var filters: [APIRequest.Field] = [
            .init("Filter.1.Name", "vpc-id"), .init("Filter.1.Value.1", vpc),
            .init("Filter.2.Name", "state"),
        ]
        for (index, state) in working.enumerated() {
            filters.append(.init("Filter.2.Value.\(index + 1)", state))
        }
        var endpoints: [InstanceConnectEndpoint] = []
        var page: String?
        // A VPC has a handful; a service that always has one page more is not believed.
        for _ in 0..<20 {
            let answer = try await query(
                .ec2,
                action: "DescribeInstanceConnectEndpoints",
                version: "2016-11-15",
                filters + (page.map { [.init("NextToken", $0)] } ?? [])
            )
            endpoints += answer.items("instanceConnectEndpointSet").compactMap { item in
                guard let id = item.text("instanceConnectEndpointId") else { return nil }
                return InstanceConnectEndpoint(
                    id: id,
                    name: item.text("dnsName"),
                    fipsName: item.text("fipsDnsName"),
                    subnet: item.text("subnetId"),
                    zone: item.text("availabilityZone")
                )
            }
            page = answer.text("nextToken")
            if page == nil { break }
        }
        return endpoints
    }
}

private let working = ["create-complete", "update-in-progress", "update-failed", "update-complete"]
