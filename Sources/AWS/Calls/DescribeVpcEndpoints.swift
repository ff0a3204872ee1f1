/// A VPC endpoint: a service's address inside a VPC.
public struct VPCEndpoint: Sendable, Equatable {
    /// `vpce-…`.
    public var id: String
    /// Such as `com.amazonaws.eu-central-1.ssmmessages`.
    public var service: String
    /// Such as `available`.
    public var state: String
}

extension ServiceCaller {
    /// Lists the VPC endpoints of a VPC.
    ///
    /// EC2 API: `DescribeVpcEndpoints`. IAM: `ec2:DescribeVpcEndpoints`.
    /// - Parameter vpc: `vpc-…`.
    /// - Returns: in AWS's order.
    /// - Throws: ``ServiceError``.
    public func vpcEndpoints(of vpc: String) async throws(ServiceError) -> [VPCEndpoint] {
        let answer = try await query(
            .ec2,
            action: "DescribeVpcEndpoints",
            version: ec2Version,
            InstanceFilter.fields([InstanceFilter("vpc-id", exactly: vpc)])
        )
        return answer.items("vpcEndpointSet").compactMap { item in
            guard let id = item.text("vpcEndpointId"), let service = item.text("serviceName")
            else { return nil }
            return VPCEndpoint(id: id, service: service, state: item.text("state") ?? "")
        }
    }
}
