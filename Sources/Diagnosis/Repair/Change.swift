public import JSONText

/// A change that mends something, with all that is needed to take it back.
public enum Change: Sendable, Equatable {
    /// The permissions of a file of the user's.
    case mode(path: String, from: UInt32, to: UInt32)
    /// An instance that was stopped is started.
    case start(instance: String, region: String)
    /// A range is let in on a TCP port by a security group.
    case allow(range: String, port: Int, group: String, region: String)

    /// What is done, exactly.
    public var title: String {
        switch self {
        case .mode(let path, let old, let new):
            "set \(path) to \(octal(new)) (it is \(octal(old)))"
        case .start(let instance, let region): "start \(instance) in \(region)"
        case .allow(let range, let port, let group, let region):
            "let \(range) in on tcp port \(port) by \(group) in \(region)"
        }
    }

    /// What is done to take it back.
    public var undoing: String {
        switch self {
        case .mode(let path, let old, _): "set \(path) to \(octal(old)) again"
        case .start(let instance, let region): "stop \(instance) in \(region)"
        case .allow(let range, let port, let group, let region):
            "let \(range) no more in on tcp port \(port) by \(group) in \(region)"
        }
    }
}

extension Change {
    /// As it is recorded.
    public var json: JSON {
        switch self {
        case .mode(let path, let old, let new):
            object(
                "mode",
                [
                    ("path", JSON(.string(path))), ("from", JSON(.string(octal(old)))),
                    ("to", JSON(.string(octal(new)))),
                ]
            )
        case .start(let instance, let region):
            object(
                "start",
                [("instance", JSON(.string(instance))), ("region", JSON(.string(region)))]
            )
        case .allow(let range, let port, let group, let region):
            object(
                "allow",
                [
                    ("range", JSON(.string(range))), ("port", JSON(.number(Double(port)))),
                    ("group", JSON(.string(group))), ("region", JSON(.string(region))),
                ]
            )
        }
    }

    /// Reads what ``json`` gives.
    /// - Parameter json: any value; nil for what is no change.
    public init?(json: JSON) {
        let text = { (name: String) in json[name]?.string }
        switch text("kind") {
        case "mode":
            guard let path = text("path"), let old = text("from").flatMap({ UInt32($0, radix: 8) }),
                let new = text("to").flatMap({ UInt32($0, radix: 8) })
            else { return nil }
            self = .mode(path: path, from: old, to: new)
        case "start":
            guard let instance = text("instance"), let region = text("region") else { return nil }
            self = .start(instance: instance, region: region)
        case "allow":
            guard let range = text("range"), let port = json["port"]?.integer,
                let group = text("group"), let region = text("region")
            else { return nil }
            self = .allow(range: range, port: port, group: group, region: region)
        default:
            return nil
        }
    }
}

private func object(_ kind: String, _ members: [(name: String, value: JSON)]) -> JSON {
    JSON(.object([("kind", JSON(.string(kind)))] + members))
}
