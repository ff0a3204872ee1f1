/// What the way through an EC2 Instance Connect Endpoint needs to know.
public struct EndpointParameters: Sendable {
    /// The VPC of the instance: `vpc-…`.
    public var vpc: String
    /// Its subnet: `subnet-…`; nil if it is not known.
    public var subnet: String?
    /// Its availability zone, as `eu-central-1a`; nil if it is not known.
    public var zone: String?
    /// Its address in the VPC, IPv4 or IPv6.
    public var privateAddress: String
    /// Endpoints lead to 22 and 3389 only.
    public var port: UInt16 = 22
    /// Whether the way is open only when the instance has spoken, as servers of SSH do.
    public var awaitsGreeting = true
    /// How long to wait for what.
    var timing = WebSocketTiming()
    /// Where endpoints listen.
    var endpointPort = 443

    /// Describes an instance.
    /// - Parameters:
    ///   - vpc: its VPC.
    ///   - subnet: its subnet.
    ///   - zone: its availability zone.
    ///   - privateAddress: its address in the VPC.
    public init(vpc: String, subnet: String?, zone: String?, privateAddress: String) {
        self.vpc = vpc
        self.subnet = subnet
        self.zone = zone
        self.privateAddress = privateAddress
    }
}
