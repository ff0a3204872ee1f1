/// An instance as DescribeInstances tells of it.
public struct Instance: Sendable, Equatable {
    /// `i-…`.
    public var id: String
    /// Whether it runs.
    public var state: InstanceState
    /// The AMI it was started from.
    public var imageID: String?
    /// `windows`, or nil for everything else.
    public var platform: String?
    /// Such as `t3.micro`.
    public var type: String?
    /// The key pair it was launched with.
    public var keyName: String?
    /// IPv4, from everywhere.
    public var publicAddress: String?
    /// IPv4, inside its network.
    public var privateAddress: String?
    /// All of IPv6, in the shortest form.
    public var ipv6Addresses: [String] = []
    /// IPv4 addresses of further interfaces, and secondary ones.
    public var otherAddresses: [String] = []
    /// The DNS name of the public address.
    public var publicName: String?
    /// The DNS name of the private address.
    public var privateName: String?
    /// The network.
    public var vpc: String?
    /// The part of the network.
    public var subnet: String?
    /// The availability zone.
    public var zone: String?
    /// When it was last started, as AWS writes it.
    public var launched: String?
    /// The account it belongs to.
    public var account: String?
    /// The security groups of its first interface and all others: `sg-…`.
    public var securityGroups: [String] = []
    /// The instance profile whose role its programs have, as an ARN.
    public var profile: String?
    /// Whether its metadata want a token: `required` or `optional`.
    public var metadataTokens: String?
    /// Why it is in its state, in AWS's words; for one that does not run.
    public var stateReason: String?
    /// What people have written on it.
    public var tags: [String: String] = [:]

    /// The tag that people take for its name.
    public var name: String? { tags["Name"].flatMap { $0.isEmpty ? nil : $0 } }

    /// Begins with what every instance has.
    /// - Parameters:
    ///   - id: `i-…`.
    ///   - state: whether it runs.
    public init(id: String, state: InstanceState) {
        self.id = id
        self.state = state
    }
}

/// The state of an instance; AWS may invent new ones.
public struct InstanceState: RawRepresentable, Sendable, Hashable {
    /// AWS's word.
    public let rawValue: String
    /// Takes AWS's word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It is being started.
    public static let pending = InstanceState(rawValue: "pending")
    /// It runs, or is about to.
    public static let running = InstanceState(rawValue: "running")
    /// It will be stopped, or hibernated.
    public static let stopping = InstanceState(rawValue: "stopping")
    /// It can be started again.
    public static let stopped = InstanceState(rawValue: "stopped")
    /// It will be gone for good.
    public static let shuttingDown = InstanceState(rawValue: "shutting-down")
    /// It is gone for good; AWS shows it for an hour or so.
    public static let terminated = InstanceState(rawValue: "terminated")

    /// Whether it never comes back.
    public var isGone: Bool { self == .terminated || self == .shuttingDown }
}
