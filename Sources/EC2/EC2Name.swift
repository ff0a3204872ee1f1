/// What the name of a host says about the instance behind it, without asking anybody.
///
/// Only the forms AWS itself gives out are known; anything else is not on EC2 for all we know.
/// See "EC2 instance hostnames and domains" in the EC2 user guide.
public struct EC2Name: Sendable, Hashable {
    /// The form of the name.
    public enum Form: Sendable, Hashable {
        /// `i-0123456789abcdef0`, or `mi-…` of a machine that Systems Manager looks after.
        case instanceID
        /// `ec2-203-0-113-25.…`: found by anybody.
        case publicName
        /// `ip-10-0-0-7.…` and `i-….…internal`: found inside the network alone.
        case privateName
    }

    /// The form of the name.
    public let form: Form
    /// The instance's id, where the name holds it.
    public let instanceID: String?
    /// The IPv4 address in the name, with dots.
    public let address: String?
    /// The region in the name.
    public let region: String?

    /// Recognises a name of EC2's; nil for every other one.
    /// - Parameter host: as typed, in any case, with or without a dot at its end.
    public init?(_ host: String) {
        var name = host.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if EC2Name.isInstanceID(name) {
            self.init(.instanceID, id: name)
            return
        }
        guard let dot = name.firstIndex(of: ".") else { return nil }
        let label = String(name[..<dot])
        let domain = String(name[name.index(after: dot)...])
        for rule in EC2Name.domains {
            guard let region = rule.region(of: domain), label.hasPrefix(rule.labelPrefix) else {
                continue
            }
            let isID = EC2Name.isInstanceID(label)
            self.init(
                rule.form,
                id: isID ? label : nil,
                address: EC2Name.address(in: label, after: rule.labelPrefix),
                region: region
            )
            return
        }
        return nil
    }

    /// Whether a word is the id of an instance or of a managed machine.
    /// - Parameter word: in lower case.
    /// - Returns: true for `i-` or `mi-` and 8 to 17 hexadecimal digits.
    public static func isInstanceID(_ word: String) -> Bool {
        for prefix in ["i-", "mi-"] where word.hasPrefix(prefix) {
            let digits = word.utf8.dropFirst(prefix.utf8.count)
            return (8...17).contains(digits.count) && digits.allSatisfy(isHexadecimal)
        }
        return false
    }

    private init(_ form: Form, id: String?, address: String? = nil, region: String? = nil) {
        self.form = form
        instanceID = id
        self.address = address
        self.region = region
    }

    /// Takes `203-0-113-25` for an address.
    private static func address(in label: String, after prefix: String) -> String? {
        let parts = label.dropFirst(prefix.count).split(
            separator: "-",
            omittingEmptySubsequences: false
        )
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
        return parts.joined(separator: ".")
    }
}

/// A domain in which EC2 gives names: `REGION.suffix`, or `alias` where the region has its own.
private struct Domain: Sendable {
    let form: EC2Name.Form
    /// What the first label begins with.
    let labelPrefix: String
    /// What follows the region.
    let suffix: String
    /// A domain that stands for a region without naming it.
    var alias: (domain: String, region: String)?

    /// - Returns: the region of a domain; empty is none of ours.
    func region(of domain: String) -> String? {
        if let alias, alias.domain == domain { return alias.region }
        guard domain.hasSuffix(".\(suffix)") else { return nil }
        let region = domain.dropLast(suffix.count + 1)
        let isRegion =
            region.contains("-")
            && region.utf8.allSatisfy { $0 == UInt8(ascii: "-") || isLetterOrDigit($0) }
        return isRegion ? String(region) : nil
    }
}

extension EC2Name {
    /// The DNS suffixes of AWS's partitions (botocore's partitions.json).
    private static let partitions = [
        "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov",
        "csp.hci.ic.gov", "cloud.adc-e.uk",
    ]
    private static let usEast = "us-east-1"
    private static let domains: [Domain] =
        partitions.map { partition in
            let alias = ("compute-1.\(partition)", usEast)
            return Domain(
                form: .publicName,
                labelPrefix: "ec2-",
                suffix: "compute.\(partition)",
                alias: alias
            )
        }
        + ["ip-", "i-"].map { prefix in
            Domain(
                form: .privateName,
                labelPrefix: prefix,
                suffix: "compute.internal",
                alias: ("ec2.internal", usEast)
            )
        }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
}
