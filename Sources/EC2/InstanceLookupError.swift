public import AWS
public import Faults

/// Why a word could not be turned into one instance.
public enum InstanceLookupError: Fault, Equatable {
    /// No instance in these regions is meant by the word.
    case notFound(word: String, regions: [String])
    /// Several are, and which one is not for us to guess.
    case several(word: String, instances: [KnownInstance])
    /// AWS did not answer.
    case service(ServiceError)

    /// Whether the word stands for several instances, so that asking anybody else is of no use.
    public var isAmbiguous: Bool {
        if case .several = self { return true }
        return false
    }

    /// Whether no instance is meant by the word, or none any more.
    public var isGone: Bool {
        if case .notFound = self { return true }
        return false
    }

    /// ``Faults/Layer/name``, or AWS's own.
    public var layer: Layer {
        if case .service(let error) = self { return error.layer }
        return .name
    }

    /// What was looked for and what was found.
    public var summary: String {
        switch self {
        case .notFound(let word, let regions):
            let place = regions.isEmpty ? "" : " in \(regions.joined(separator: ", "))"
            let kind = word.hasPrefix("mi-") ? "machine of Systems Manager" : "instance"
            return "no \(kind) is called '\(visible(word.utf8))'\(place)"
        case .several(let word, let instances):
            let shown = instances.prefix(mostShown).map(InstanceLookupError.describe)
            let rest = instances.count - shown.count
            return "'\(visible(word.utf8))' stands for \(instances.count) instances: "
                + shown.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
        case .service(let error):
            return error.summary
        }
    }

    /// How to find out more.
    public var hint: Hint? {
        switch self {
        case .notFound: .run("ec2sh list")
        case .several(_, let instances):
            .advice("name one by its id, as in: ec2sh \(instances.first?.instance.id ?? "i-…")")
        case .service(let error): error.hint
        }
    }

    private static func describe(_ known: KnownInstance) -> String {
        let instance = known.instance
        let words = [
            instance.id, instance.name.map { "(\($0))" }, instance.state.rawValue, known.address,
            known.region,
        ]
        return words.compactMap { $0.map { visible($0.utf8) } }.joined(separator: " ")
    }
}

/// More than this would scroll the first ones away.
private let mostShown = 10
