/// Where the private key of a key pair may be: files by their names, the likeliest first.
public enum KeyCandidates {
    /// A file that may hold a key.
    public struct Candidate: Sendable, Hashable {
        /// Where it is.
        public let path: String
        /// Whether it is named like the pair; all others are only worth anything with a proof.
        public let isNamesake: Bool
    }

    /// Finds the files that may hold a key.
    /// - Parameters:
    ///   - keyName: the name of the key pair.
    ///   - directories: in order, such as `~/.ssh` and `~/Downloads`, each with its files' names.
    /// - Returns: those named like the pair, then the usual ones, then every other file that looks
    ///   like a private key.
    public static func files(
        keyName: String,
        in directories: [(path: String, names: [String])]
    ) -> [Candidate] {
        var ranked: [(rank: Int, path: String)] = []
        for directory in directories {
            for name in directory.names.sorted() {
                guard let rank = rank(of: name, keyName: keyName) else { continue }
                ranked.append((rank, "\(directory.path)/\(name)"))
            }
        }
        // Sorting by rank alone keeps the order of directories and names.
        return (0...lowestRank).flatMap { rank in
            ranked.filter { $0.rank == rank }.map {
                Candidate(path: $0.path, isNamesake: rank <= lowestNamesake)
            }
        }
    }

    private static func rank(of name: String, keyName: String) -> Int? {
        let (stem, suffix) = split(name)
        if stem == keyName || name == keyName { return 0 }
        let wanted = keyName.lowercased()
        if stem.lowercased() == wanted || name.lowercased() == wanted { return 1 }
        // Browsers number what is downloaded twice: `web (1).pem`, `web-1.pem` on older systems.
        if suffix != nil, withoutNumber(stem).lowercased() == wanted { return 2 }
        if usual.contains(name) { return 3 }
        return suffix == nil ? nil : lowestRank
    }

    /// A name and one of the endings of private keys.
    private static func split(_ name: String) -> (stem: String, suffix: String?) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex,
            ["pem", "key", "ppk"].contains(name[name.index(after: dot)...].lowercased())
        else { return (name, nil) }
        return (String(name[..<dot]), String(name[dot...]))
    }

    private static func withoutNumber(_ stem: String) -> String {
        guard stem.hasSuffix(")"), let open = stem.range(of: " (") else { return stem }
        let number = stem[open.upperBound...].dropLast()
        return number.isEmpty || !number.allSatisfy(\.isNumber)
            ? stem : String(stem[..<open.lowerBound])
    }

    private static let usual = ["id_rsa", "id_ecdsa", "id_ed25519"]
    private static let lowestNamesake = 2
    private static let lowestRank = 4
}

extension String {
    /// The last place of a text.
    fileprivate func range(of text: String) -> Range<Index>? {
        var end = endIndex
        while end > startIndex {
            let start = index(before: end)
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            end = start
        }
        return nil
    }
}
