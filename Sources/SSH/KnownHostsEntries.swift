/// A key that a file gives for a host.
public struct KnownHostsEntry: Sendable, Equatable {
    /// The key.
    public let key: HostKey
    /// The file's path, for messages.
    public let path: String
    /// The line in it, from 1.
    public let line: Int
    /// Where the file comes from.
    public let origin: KnownHosts.Origin
    let marker: KnownHostsLine.Marker

    init(
        _ marker: KnownHostsLine.Marker,
        _ key: HostKey,
        _ path: String,
        line: Int,
        _ origin: KnownHosts.Origin
    ) {
        self.key = key
        self.path = path
        self.line = line
        self.origin = origin
        self.marker = marker
    }
}

/// What is to be thought of a key that a host shows.
public enum KnownHostsStatus: Sendable, Equatable {
    /// It is the host's.
    case match(KnownHostsEntry)
    /// The host has other keys, this one is not among them; the entry is the last of the others.
    case changed(KnownHostsEntry)
    /// It must not be trusted, whatever else is written.
    case revoked
    /// Nothing is known about the host.
    case unknown
}

/// All that is known about one host.
public struct KnownHostsEntries: Sendable {
    /// What was looked up.
    public let name: String
    /// In the order of files and lines; keys of kinds that OpenSSH would not know do not count
    /// but where they are the same key.
    public let all: [KnownHostsEntry]

    init(name: String, _ all: [KnownHostsEntry]) {
        self.name = name
        self.all = all
    }

    /// Whether a certificate authority speaks for the host (`@cert-authority`).
    public var hasAuthority: Bool { all.contains { $0.marker == .certAuthority } }

    /// Judges a key.
    ///
    /// C: `check_key_in_hostkeys`.
    /// - Parameter key: the key the host has shown.
    /// - Returns: revoked before all, then a match, then any other key.
    public func status(of key: HostKey) -> KnownHostsStatus {
        if all.contains(where: { $0.marker == .revoked && $0.key == key }) { return .revoked }
        let plain = all.filter { $0.marker == .none }
        if let same = plain.first(where: { $0.key == key }) { return .match(same) }
        return plain.last { $0.key.kind != .other }.map { .changed($0) } ?? .unknown
    }

    /// Whether a key of this kind is known to be the host's.
    ///
    /// C: `lookup_key_in_hostkeys_by_type`.
    func knows(_ kind: HostKeyKind) -> Bool {
        kind != .other && all.contains { $0.marker == .none && $0.key.kind == kind }
    }

    /// Puts those algorithms first whose keys are known, so that a known host shows a known key.
    ///
    /// Only for a list the user has not set, or has changed by `+` or `-` alone.
    ///
    /// C: `order_hostkeyalgs`.
    /// - Parameter algorithms: HostKeyAlgorithms, in order of preference.
    /// - Returns: the same names; known kinds first, otherwise in the same order.
    public func preferKnown(_ algorithms: [String]) -> [String] {
        guard let best = algorithms.first, !knows(plainKind(of: best)) else { return algorithms }
        let isPreferred = { (algorithm: String) -> Bool in
            if case .certificate = HostKeyKind(algorithm: algorithm), hasAuthority { return true }
            return knows(plainKind(of: algorithm))
        }
        return algorithms.filter(isPreferred) + algorithms.filter { !isPreferred($0) }
    }
}

private func plainKind(of algorithm: String) -> HostKeyKind {
    HostKeyKind(algorithm: HostKeyKind.plainAlgorithm(ofCertificate: algorithm) ?? algorithm)
}
