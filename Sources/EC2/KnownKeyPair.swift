public import AWS
internal import JSONText

/// A key pair as AWS has told of it, and when.
public struct KnownKeyPair: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What DescribeKeyPairs has told; nil when there is no pair of that name any more.
    public var pair: KeyPair?
    /// When AWS was asked.
    public var seen: Timestamp

    /// What proves a key to be the pair's; nil when nothing does.
    public var proof: KeyPairProof? {
        pair.map { KeyPairProof(fingerprint: $0.fingerprint, publicKey: $0.publicKey) }
    }
}

extension KnownKeyPair {
    /// Whether nobody need be asked: another pair of the same name is a rare thing, one that was
    /// missing may have been made since.
    func isGood(now: Timestamp) -> Bool {
        seen.isWithin(pair == nil ? 3600 : 7 * 86_400, of: now)
    }

    var json: JSON {
        var members = [(name: "pair", value: JSON(.string(name)))]
        func add(_ name: String, _ text: String?) {
            if let text { members.append((name, JSON(.string(text)))) }
        }
        add("fingerprint", pair?.fingerprint)
        add("type", pair?.type)
        add("public", pair?.publicKey)
        members.append(("exists", JSON(.bool(pair != nil))))
        members.append(("seen", JSON(.number(Double(seen.seconds)))))
        return JSON(.object(members))
    }

    init?(json: JSON) {
        guard let name = json["pair"]?.string, let seen = json["seen"]?.integer else { return nil }
        self.init(name: name, pair: nil, seen: Timestamp(seconds: Int64(seen)))
        guard json["exists"]?.bool == true else { return }
        pair = KeyPair(
            name: name,
            fingerprint: json["fingerprint"]?.string,
            type: json["type"]?.string,
            publicKey: json["public"]?.string
        )
    }
}
