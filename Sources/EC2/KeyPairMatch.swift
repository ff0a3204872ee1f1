/// A key on this machine that may be that of a key pair.
public struct HeldKey: Sendable {
    /// What fingerprints are made of.
    public var material: KeyMaterial
    /// Whether its file is named like the pair.
    public var isNamesake: Bool
    /// Whether the login offers it anyway.
    public var isOffered: Bool

    /// Describes a key.
    /// - Parameters:
    ///   - material: what fingerprints are made of.
    ///   - isNamesake: whether its file is named like the pair.
    ///   - isOffered: whether the login offers it anyway.
    public init(_ material: KeyMaterial, isNamesake: Bool = false, isOffered: Bool = false) {
        self.material = material
        self.isNamesake = isNamesake
        self.isOffered = isOffered
    }
}

/// Which of the keys on this machine is that of a key pair.
public struct KeyPairMatch: Sendable, Equatable {
    /// The place of the key that is proven to be the pair's.
    public let proven: Int?
    /// Where none is proven: the places of those to try for their name alone.
    public let likely: [Int]
    /// The places of those that are named like the pair and are other keys.
    public let impostors: [Int]

    /// Judges keys.
    /// - Parameters:
    ///   - keys: the likeliest first.
    ///   - pair: what AWS tells of the pair; it proves a key, and that another is not the one.
    ///   - authorized: what the instance has said of the keys that open it; they prove a key, and
    ///     nothing against another.
    public init(_ keys: [HeldKey], pair: KeyPairProof?, authorized: [KeyPairProof] = []) {
        let verdicts = keys.map { key -> Bool? in
            let isAuthorized = authorized.contains { $0.matches(key.material) == true }
            return isAuthorized ? true : pair?.matches(key.material)
        }
        proven = verdicts.firstIndex(of: true)
        let namesakes = keys.indices.filter { keys[$0].isNamesake }
        impostors = namesakes.filter { verdicts[$0] == false }
        let untold = namesakes.filter { verdicts[$0] == nil && !keys[$0].isOffered }
        likely = proven == nil ? Array(untold.prefix(mostLikely)) : []
    }
}

/// Servers take few tries.
private let mostLikely = 2
