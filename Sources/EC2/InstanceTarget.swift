public import AWS
internal import Posix

/// A word that stands for an instance: what was typed as the host, or EC2Instance's value.
public struct InstanceTarget: Sendable, Hashable {
    /// What kind of word it is.
    public enum Kind: Sendable, Hashable {
        /// `i-…`.
        case id(String)
        /// `mi-…`: a machine that Systems Manager looks after, which EC2 does not know.
        case managed(String)
        /// `tag:KEY=VALUE`.
        case tag(key: String, value: String)
        /// An IPv4 or IPv6 address, in its shortest form.
        case address(String)
        /// A DNS name of EC2's form, in lower case, with the address in it if it has one.
        case dnsName(String, address: String?)
        /// Anything else: a Name tag, or a DNS name of one's own.
        case name(String)
    }

    /// The word as it was given.
    public let word: String
    /// What it is.
    public let kind: Kind
    /// The region in a DNS name.
    public let region: String?

    /// Understands a word.
    /// - Parameter word: any text.
    public init(_ word: String) {
        self.word = word
        let name = EC2Name(word)
        region = name?.region
        kind = InstanceTarget.kind(of: word, name)
    }

    private static func kind(of word: String, _ name: EC2Name?) -> Kind {
        if let id = name?.instanceID { return id.hasPrefix("mi-") ? .managed(id) : .id(id) }
        if let (key, value) = InstanceTarget.tag(in: word) { return .tag(key: key, value: value) }
        if let address = canonicalAddress(word) { return .address(address) }
        guard let name else { return .name(word) }
        return .dnsName(domainName(word), address: name.address)
    }

    /// A key has no equals sign as long as the value is to have one.
    private static func tag(in word: String) -> (key: String, value: String)? {
        let prefix = "tag:"
        guard word.hasPrefix(prefix), let equals = word.firstIndex(of: "=") else { return nil }
        let key = word[word.index(word.startIndex, offsetBy: prefix.count)..<equals]
        return key.isEmpty ? nil : (String(key), String(word[word.index(after: equals)...]))
    }

    /// Whether the word may mean another instance tomorrow: names and addresses move, ids do not.
    var isFickle: Bool {
        switch kind {
        case .id, .managed: false
        case .tag, .address, .dnsName, .name: true
        }
    }

    /// Whether an instance is what the word stands for.
    /// - Parameter instance: any instance.
    /// - Returns: false for one that only resembles it: nothing is guessed.
    public func matches(_ instance: Instance) -> Bool {
        switch kind {
        case .id(let id), .managed(let id): instance.id == id
        case .tag(let key, let value): instance.tags[key] == value
        case .address(let address): instance.has(address: address)
        case .dnsName(let name, let address):
            instance.has(dnsName: name) || address.map(instance.has(address:)) ?? false
        case .name(let name):
            instance.name == name || instance.has(dnsName: domainName(name))
        }
    }

    /// One of these texts is a value in every record of an instance that matches.
    var evidence: [String] {
        switch kind {
        case .id(let id), .managed(let id): [id]
        case .tag(_, let value): [value]
        case .address(let address): [address]
        case .dnsName(let name, let address): [name] + (address.map { [$0] } ?? [])
        case .name(let name): [name, domainName(name)]
        }
    }

    /// The questions to AWS, one after the other until there is an answer.
    ///
    /// Each has one filter: several would narrow each other, so alternatives need one each.
    public var questions: [[InstanceFilter]] {
        switch kind {
        case .id(let id): [[InstanceFilter("instance-id", exactly: id)]]
        case .managed: []
        case .tag(let key, let value): [[InstanceFilter("tag:\(key)", exactly: value)]]
        case .address(let address):
            filterNames(ofAddress: address).map { [.init($0, exactly: address)] }
        case .dnsName(let name, let address):
            ["dns-name", "private-dns-name"].map { [InstanceFilter($0, exactly: name)] }
                + (address.map { address in
                    filterNames(ofAddress: address).map { [InstanceFilter($0, exactly: address)] }
                } ?? [])
        case .name(let name):
            [[InstanceFilter("tag:Name", exactly: name)]]
                + (name.contains(".")
                    ? [[InstanceFilter("private-dns-name", exactly: domainName(name))]] : [])
        }
    }
}

extension InstanceFilter {
    /// The questions about many words in one round, as few as there can be.
    /// - Parameters:
    ///   - targets: words that have had no answer yet.
    ///   - round: which of each word's questions is due.
    /// - Returns: one filter for each question.
    static func merged(_ targets: [InstanceTarget], round: Int) -> [InstanceFilter] {
        var names: [String] = []
        var values: [String: [String]] = [:]
        for target in targets where target.questions.count > round {
            for filter in target.questions[round] {
                if values[filter.name] == nil { names.append(filter.name) }
                values[filter.name, default: []] += filter.values
            }
        }
        return names.flatMap { name in
            var rest = unique(values[name] ?? [])[...]
            var filters: [InstanceFilter] = []
            while !rest.isEmpty {
                filters.append(InstanceFilter(name, Array(rest.prefix(mostFilterValues))))
                rest = rest.dropFirst(mostFilterValues)
            }
            return filters
        }
    }
}

/// The most values a filter takes (EC2 API, "Resource filtering").
let mostFilterValues = 200

private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
}

/// An address in the form that all texts about it are brought to.
func canonicalAddress(_ text: String) -> String? {
    addressBytes(text).flatMap { addressText($0) }
}

private func domainName(_ text: String) -> String {
    let name = text.lowercased()
    return name.hasSuffix(".") ? String(name.dropLast()) : name
}

/// The filters of DescribeInstances that know an address, the most likely first.
private func filterNames(ofAddress address: String) -> [String] {
    guard let bytes = addressBytes(address), bytes.count == 4 else {
        return ["network-interface.ipv6-addresses.ipv6-address"]
    }
    let isPrivate =
        bytes[0] == 10 || (bytes[0] == 172 && (16..<32).contains(bytes[1]))
        || (bytes[0] == 192 && bytes[1] == 168)
        || (bytes[0] == 100 && (64..<128).contains(bytes[1]))
    let privateNames = ["private-ip-address", "network-interface.addresses.private-ip-address"]
    return isPrivate ? privateNames : ["ip-address"] + privateNames
}

extension Instance {
    fileprivate func has(address: String) -> Bool {
        publicAddress == address || privateAddress == address
            || ipv6Addresses.contains(address) || otherAddresses.contains(address)
    }

    fileprivate func has(dnsName name: String) -> Bool {
        publicName == name || privateName == name
    }
}
