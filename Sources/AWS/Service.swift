/// The services of AWS that ec2sh asks.
public enum Service: String, Sendable, CaseIterable {
    /// Instances and all that belongs to them.
    case ec2
    /// Systems Manager.
    case ssm
    /// Systems Manager's data channels.
    case ssmMessages
    /// EC2 Instance Connect.
    case instanceConnect
    /// Roles.
    case sts
    /// Keys that encrypt.
    case kms
    /// The portal of IAM Identity Center, which gives a role's keys.
    case sso
    /// The tokens of IAM Identity Center.
    case ssoTokens

    /// The name that requests are signed for.
    public var signingName: String { names.signing }

    /// What its host names begin with.
    public var endpointPrefix: String { names.prefix }

    /// Its name in `services` sections, as in `sso_oidc`; upper case in `AWS_ENDPOINT_URL_…`.
    public var configurationName: String { names.configuration }

    private var names: (signing: String, prefix: String, configuration: String) {
        switch self {
        case .ec2: ("ec2", "ec2", "ec2")
        case .ssm: ("ssm", "ssm", "ssm")
        case .ssmMessages: ("ssmmessages", "ssmmessages", "ssmmessages")
        case .instanceConnect:
            ("ec2-instance-connect", "ec2-instance-connect", "ec2_instance_connect")
        case .sts: ("sts", "sts", "sts")
        case .kms: ("kms", "kms", "kms")
        case .sso: ("awsssoportal", "portal.sso", "sso")
        case .ssoTokens: ("sso-oauth", "oidc", "sso_oidc")
        }
    }
}
