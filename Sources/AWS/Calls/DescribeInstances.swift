/// One page of instances.
public struct InstancePage: Sendable, Equatable {
    /// In AWS's order.
    public var instances: [Instance]
    /// Asks for the next page; nil at the end.
    public var nextToken: String?
}

extension ServiceCaller {
    /// Lists instances, a page at a time.
    ///
    /// EC2 API: `DescribeInstances`. IAM: `ec2:DescribeInstances`.
    /// - Parameters:
    ///   - filters: all of them have to be met; empty for all instances of the region.
    ///   - nextToken: where the page before ended.
    /// - Returns: at most 1000 instances; with filters there may be none and still a next page.
    /// - Throws: ``ServiceError``.
    public func describeInstances(
        _ filters: [InstanceFilter] = [],
        nextToken: String? = nil
    ) async throws(ServiceError) -> InstancePage {
        var fields = InstanceFilter.fields(filters)
        fields.append(.init("MaxResults", "1000"))
        if let nextToken { fields.append(.init("NextToken", nextToken)) }
        let answer = try await query(
            .ec2,
            action: "DescribeInstances",
            version: ec2Version,
            fields
        )
        let instances = answer.items("reservationSet").flatMap { reservation in
            reservation.items("instancesSet").compactMap { element in
                Instance(element, account: reservation.text("ownerId"))
            }
        }
        return InstancePage(instances: instances, nextToken: answer.text("nextToken"))
    }
}

/// The version of EC2's API; there has been no other since 2016.
let ec2Version = "2016-11-15"

extension Instance {
    /// Reads an element of DescribeInstances; nil without an id.
    fileprivate init?(_ element: XMLElement, account: String?) {
        guard let id = element.text("instanceId") else { return nil }
        let state = element["instanceState"]?.text("name") ?? ""
        self.init(id: id, state: InstanceState(rawValue: state))
        imageID = element.text("imageId")
        platform = element.text("platform")
        type = element.text("instanceType")
        keyName = element.text("keyName")
        publicAddress = element.text("ipAddress")
        privateAddress = element.text("privateIpAddress")
        publicName = element.text("dnsName")?.lowercased()
        privateName = element.text("privateDnsName")?.lowercased()
        vpc = element.text("vpcId")
        subnet = element.text("subnetId")
        zone = element["placement"]?.text("availabilityZone")
        launched = element.text("launchTime")
        profile = element["iamInstanceProfile"]?.text("arn")
        metadataTokens = element["metadataOptions"]?.text("httpTokens")
        if self.state != .running { stateReason = element["stateReason"]?.text("message") }
        self.account = account
        for tag in element.items("tagSet") {
            if let key = tag.text("key") { tags[key] = tag.text("value") ?? "" }
        }
        readInterfaces(of: element)
    }

    private mutating func readInterfaces(of element: XMLElement) {
        var ipv6 = [element.text("ipv6Address")].compactMap { $0 }
        securityGroups = element.items("groupSet").compactMap { $0.text("groupId") }
        for interface in element.items("networkInterfaceSet") {
            ipv6 += interface.items("ipv6AddressesSet").compactMap { $0.text("ipv6Address") }
            securityGroups += interface.items("groupSet").compactMap { $0.text("groupId") }
            for item in interface.items("privateIpAddressesSet") {
                otherAddresses += [
                    item.text("privateIpAddress"), item["association"]?.text("publicIp"),
                ].compactMap { $0 }
            }
        }
        securityGroups = unique(securityGroups)
        let own = [publicAddress, privateAddress]
        otherAddresses = unique(otherAddresses).filter { !own.contains($0) }
        ipv6Addresses = unique(ipv6)
    }
}

/// Each text once, where it stood first.
private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
}
