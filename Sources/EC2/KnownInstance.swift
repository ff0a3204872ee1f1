public import AWS
public import JSONText

/// An instance with all that is known about it, and since when.
public struct KnownInstance: Sendable, Equatable {
    /// What DescribeInstances has told.
    public var instance: Instance
    /// The region it is in.
    public var region: String
    /// When AWS was asked.
    public var seen: Timestamp
    /// Its AMI, the AMI that was made from, and so on, as far as known.
    public var images: [Image] = []
    /// Its status checks and its agent; nil when nobody has asked.
    public var health: InstanceHealth?

    /// Begins with what DescribeInstances has told.
    /// - Parameters:
    ///   - instance: the instance.
    ///   - region: the region it is in.
    ///   - seen: when AWS was asked.
    public init(_ instance: Instance, region: String, seen: Timestamp) {
        self.instance = instance
        self.region = region
        self.seen = seen
    }

    /// Whether it is a machine that Systems Manager looks after and EC2 does not know (`mi-…`).
    public var isManaged: Bool { instance.id.hasPrefix("mi-") }

    /// The address people would use: public, else IPv6, else private.
    public var address: String? {
        instance.publicAddress ?? instance.ipv6Addresses.first ?? instance.privateAddress
    }
}

/// What is known of an instance beyond that it runs.
public struct InstanceHealth: Sendable, Equatable {
    /// AWS's check of the machine below, such as `ok`, `impaired` or `initializing`.
    public var system: String?
    /// AWS's check of the instance's own network.
    public var instance: String?
    /// Systems Manager's last word about its agent, such as `Online`.
    public var agent: String?

    /// Puts the facts together.
    /// - Parameters:
    ///   - system: AWS's check of the machine below.
    ///   - instance: AWS's check of the instance.
    ///   - agent: the state of Systems Manager's agent.
    public init(system: String? = nil, instance: String? = nil, agent: String? = nil) {
        self.system = system
        self.instance = instance
        self.agent = agent
    }

    /// Whether the checks are not through yet.
    public var isStarting: Bool { system == "initializing" || instance == "initializing" }
}

extension KnownInstance {
    /// The facts as an object.
    public var json: JSON {
        var members: [(name: String, value: JSON)] = []
        func add(_ name: String, _ text: String?) {
            if let text { members.append((name, JSON(.string(text)))) }
        }
        add("id", instance.id)
        add("name", instance.name)
        add("state", instance.state.rawValue)
        add("region", region)
        for field in textFields { add(field.name, instance[keyPath: field.path]) }
        for field in listFields where !instance[keyPath: field.path].isEmpty {
            members.append((field.name, jsonList(instance[keyPath: field.path])))
        }
        if !instance.tags.isEmpty {
            let tags = instance.tags.sorted { $0.key < $1.key }
            let values = tags.map { (name: $0.key, value: JSON(.string($0.value))) }
            members.append(("tags", JSON(.object(values))))
        }
        members.append(("seen", JSON(.number(Double(seen.seconds)))))
        if !images.isEmpty { members.append(("images", JSON(.array(images.map(\.json))))) }
        if let health { members.append(("health", health.json)) }
        return JSON(.object(members))
    }

    /// Reads what ``json`` gives.
    /// - Parameter json: any value.
    public init?(json: JSON) {
        guard let id = json["id"]?.string, EC2Name.isInstanceID(id),
            let state = json["state"]?.string, let region = json["region"]?.string,
            let seen = json["seen"]?.integer
        else { return nil }
        var instance = Instance(id: id, state: InstanceState(rawValue: state))
        for field in textFields { instance[keyPath: field.path] = json[field.name]?.string }
        for field in listFields {
            instance[keyPath: field.path] = json[field.name]?.array?.compactMap(\.string) ?? []
        }
        if case .object(let tags)? = json["tags"]?.value {
            for tag in tags { instance.tags[tag.name] = tag.value.string }
        }
        self.init(instance, region: region, seen: Timestamp(seconds: Int64(seen)))
        images = json["images"]?.array?.compactMap(Image.init(json:)) ?? []
        health = json["health"].map(InstanceHealth.init(json:))
    }
}

private struct Field<Value>: Sendable {
    let name: String
    let path: any WritableKeyPath<Instance, Value> & Sendable
}

private let textFields: [Field<String?>] = [
    Field(name: "image", path: \.imageID), Field(name: "platform", path: \.platform),
    Field(name: "type", path: \.type), Field(name: "key", path: \.keyName),
    Field(name: "publicAddress", path: \.publicAddress),
    Field(name: "privateAddress", path: \.privateAddress),
    Field(name: "publicName", path: \.publicName),
    Field(name: "privateName", path: \.privateName), Field(name: "vpc", path: \.vpc),
    Field(name: "subnet", path: \.subnet), Field(name: "zone", path: \.zone),
    Field(name: "launched", path: \.launched), Field(name: "account", path: \.account),
    Field(name: "profile", path: \.profile),
    Field(name: "metadataTokens", path: \.metadataTokens),
    Field(name: "stateReason", path: \.stateReason),
]
private let listFields: [Field<[String]>] = [
    Field(name: "ipv6Addresses", path: \.ipv6Addresses),
    Field(name: "otherAddresses", path: \.otherAddresses),
    Field(name: "securityGroups", path: \.securityGroups),
]

private func jsonList(_ texts: [String]) -> JSON {
    JSON(.array(texts.map { JSON(.string($0)) }))
}

extension InstanceHealth {
    fileprivate var json: JSON {
        let members = [("system", system), ("instance", instance), ("agent", agent)]
        return JSON(
            .object(members.compactMap { name, text in text.map { (name, JSON(.string($0))) } })
        )
    }

    fileprivate init(json: JSON) {
        self.init(
            system: json["system"]?.string,
            instance: json["instance"]?.string,
            agent: json["agent"]?.string
        )
    }
}
