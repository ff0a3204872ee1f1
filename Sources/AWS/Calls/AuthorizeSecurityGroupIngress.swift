extension ServiceCaller {
    /// Lets a range in on one TCP port.
    ///
    /// EC2 API: `AuthorizeSecurityGroupIngress`. IAM: `ec2:AuthorizeSecurityGroupIngress`.
    /// - Parameters:
    ///   - group: `sg-…`.
    ///   - range: IPv4 or IPv6, such as `203.0.113.9/32`.
    ///   - port: the port.
    /// - Throws: ``ServiceError``; of the code `InvalidPermission.Duplicate` where it is let in.
    public func authorize(
        _ group: String,
        range: String,
        port: Int
    ) async throws(ServiceError) {
        _ = try await query(
            .ec2,
            action: "AuthorizeSecurityGroupIngress",
            version: ec2Version,
            permission(group, range: range, port: port, description: "ec2sh fix")
        )
    }
}

/// One permission as the calls that give and take it want it.
/// - Parameters:
///   - group: `sg-…`.
///   - range: IPv4 or IPv6.
///   - port: the port.
///   - description: what people are to read; nil says nothing of it.
/// - Returns: the parameters.
func permission(
    _ group: String,
    range: String,
    port: Int,
    description: String? = nil
) -> [APIRequest.Field] {
    let isIPv6 = range.utf8.contains(UInt8(ascii: ":"))
    let list = "IpPermissions.1.\(isIPv6 ? "Ipv6Ranges" : "IpRanges").1."
    let fields: [APIRequest.Field] = [
        .init("GroupId", group), .init("IpPermissions.1.IpProtocol", "tcp"),
        .init("IpPermissions.1.FromPort", "\(port)"), .init("IpPermissions.1.ToPort", "\(port)"),
        .init(list + (isIPv6 ? "CidrIpv6" : "CidrIp"), range),
    ]
    return fields + (description.map { [.init(list + "Description", $0)] } ?? [])
}
