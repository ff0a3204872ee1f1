/// Checks and expands lists of algorithms as the user writes them.
enum AlgorithmLists {
    /// What a list is for.
    enum Kind: Sendable {
        case ciphers
        case macs
        case kex
        case keys
        case signatures
        case gssKex

        /// What precedes a refused list.
        ///
        /// C: `process_config_line_depth`.
        var complaint: String {
            switch self {
            case .ciphers: "Bad SSH2 cipher spec"
            case .macs: "Bad SSH2 MAC spec"
            case .kex: "Bad SSH2 KexAlgorithms"
            case .keys, .signatures: "Bad key types"
            case .gssKex: "Bad GSSAPI KexAlgorithms"
            }
        }
    }

    /// Whether a list may be used.
    enum Problem: Equatable {
        case none
        /// It names what there is not; a line to tell first.
        case unknown(told: String?)
    }

    /// Checks every name up to the first empty one, where OpenSSH's loops end.
    static func problem(_ list: ArraySlice<UInt8>, _ kind: Kind) -> Problem {
        if list.isEmpty { return .unknown(told: nil) }
        for name in list.partsToFirstEmpty(",") where !isKnown(name, kind) {
            guard kind == .kex || kind == .gssKex else { return .unknown(told: nil) }
            let shown = LosslessText.string(name.prefix(100))
            return .unknown(told: "Unsupported KEX algorithm \"\(shown)\"")
        }
        return .none
    }

    private static func isKnown(_ name: ArraySlice<UInt8>, _ kind: Kind) -> Bool {
        let isGSS = { Algorithms.gssKex.contains { name.starts(with: $0.utf8) } }
        return switch kind {
        case .ciphers: Algorithms.ciphers.contains { name.isExactly($0) }
        case .macs: Algorithms.macs.contains { name.isExactly($0) }
        case .kex: Algorithms.kex.contains { name.isExactly($0) } || isGSS()
        case .gssKex: isGSS()
        case .keys, .signatures: isKey(name)
        }
    }

    /// A key's name, short name or a pattern for some.
    ///
    /// C: `sshkey_names_valid2`.
    private static func isKey(_ name: ArraySlice<UInt8>) -> Bool {
        // "null" is the pseudo key of Kerberos, which no list contains.
        if name.isWord("null") { return true }
        let pattern = Bytes(name)
        return Algorithms.keyTable.contains { key in
            name.isExactly(key.name) || !key.isCertificate && name.isWord(key.short)
                || Patterns.judge(Bytes(key.name.utf8), pattern) != .none
        } || Patterns.judge(Bytes("null".utf8), pattern) != .none
    }

    /// Expands a list into names that exist.
    ///
    /// C: `kex_assemble_names` in `kex.c`.
    /// - Parameters:
    ///   - list: as the user wrote it, checked.
    ///   - defaults: what `+`, `-` and `^` refer to.
    ///   - known: all there are, in OpenSSH's order.
    /// - Returns: nil when nothing is left, or for a negated pattern.
    static func expand(_ list: String, defaults: [String], known: [String]) -> [String]? {
        let bytes = LosslessText.bytes(list)
        let changed = bytes.dropFirst()
        var patterns: [Bytes]
        switch bytes.first {
        case UInt8(ascii: "-"):
            return defaults.filter { Patterns.judge(Bytes($0.utf8), Bytes(changed)) != .match }
        case UInt8(ascii: "+"):
            patterns = defaults.map { Bytes($0.utf8) }
            patterns += changed.partsToFirstEmpty(",").map { Bytes($0) }
        case UInt8(ascii: "^"):
            patterns = changed.parts(",").map { Bytes($0) }
            if changed.isEmpty { patterns = [] }
            patterns += defaults.map { Bytes($0.utf8) }
        default:
            patterns = bytes.parts(",").map { Bytes($0) }
        }
        var names: [String] = []
        for pattern in patterns {
            if pattern.first == UInt8(ascii: "!") { return nil }
            for name in known where !names.contains(name) {
                if Patterns.judge(Bytes(name.utf8), pattern) == .match { names.append(name) }
            }
        }
        return names.isEmpty ? nil : names
    }

    /// All names of a kind.
    static func known(_ kind: Kind) -> [String] {
        switch kind {
        case .ciphers: Algorithms.ciphers
        case .macs: Algorithms.macs
        case .kex: Algorithms.kex
        case .gssKex: Algorithms.gssKex
        case .keys: Algorithms.keyTable.map(\.name)
        case .signatures: Algorithms.keyTable.filter { !$0.isCertificate }.map(\.name)
        }
    }
}
