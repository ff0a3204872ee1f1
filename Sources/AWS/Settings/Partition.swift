/// A part of AWS with regions, accounts and domains of its own.
public struct Partition: Sendable, Equatable {
    /// As in ARNs, such as `aws-cn`.
    public let id: String
    /// What regions' names begin with; empty for AWS at large.
    let prefix: String
    /// What hosts' names end in, such as `amazonaws.com`.
    public let suffix: String
    /// What dual-stack hosts' names end in.
    public let dualStackSuffix: String

    /// The partition of a region; a region that nobody knows is AWS's at large.
    /// - Parameter region: such as `us-gov-west-1`.
    public init(region: String) {
        self = partitions.first { region.hasPrefix($0.prefix) } ?? commercial
    }

    fileprivate init(_ id: String, _ prefix: String, _ suffix: String, _ dualStackSuffix: String) {
        self.id = id
        self.prefix = prefix
        self.suffix = suffix
        self.dualStackSuffix = dualStackSuffix
    }
}

private let commercial = Partition("aws", "", "amazonaws.com", "api.aws")

// Source: the partitions of AWS's endpoint rules.
private let partitions = [
    Partition("aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
]
