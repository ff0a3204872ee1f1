extension ServiceCaller {
    /// Takes back what let a range in on one TCP port.
    ///
    /// EC2 API: `RevokeSecurityGroupIngress`. IAM: `ec2:RevokeSecurityGroupIngress`.
    /// - Parameters:
    ///   - group: `sg-…`.
    ///   - range: IPv4 or IPv6, such as `203.0.113.9/32`.
    ///   - port: the port.
    /// - Throws: ``ServiceError``; of the kind `notFound` where there is no such rule.
    public func revoke(
        _ group: String,
        range: String,
        port: Int
    ) async throws(ServiceError) {
        _ = try await query(
            .ec2,
            action: "RevokeSecurityGroupIngress",
            version: ec2Version,
            permission(group, range: range, port: port)
        )
    }
}
