/// Where the clients of a remote dynamic forward may connect to (PermitRemoteOpen, ssh_config(5)).
///
/// C: `ssh_init_forward_permissions`, `open_match`.
enum RemoteOpenPermission: Equatable {
    /// Anywhere.
    case any
    /// Nowhere.
    case none
    /// To these; nil stands for any host or any port.
    case targets([Target])

    struct Target: Equatable {
        let host: String?
        let port: UInt16?
    }

    /// - Parameter words: `host:port`, with `*` for either, or the one word `any` or `none`; the
    ///   configuration has checked them.
    init(_ words: [String]) {
        switch words {
        case [], ["any"]: self = .any
        case ["none"]: self = .none
        default: self = .targets(words.compactMap(Target.init))
        }
    }

    /// Whether a connection may be made.
    /// - Parameters:
    ///   - host: as the client named it; names are not looked up.
    ///   - port: its port.
    /// - Returns: whether it is one of the targets.
    func allows(_ host: String, _ port: UInt16) -> Bool {
        switch self {
        case .any: true
        case .none: false
        case .targets(let targets):
            targets.contains { ($0.host ?? host) == host && ($0.port ?? port) == port }
        }
    }
}

extension RemoteOpenPermission.Target {
    fileprivate init?(_ word: String) {
        guard let colon = word.lastIndex(of: ":") else { return nil }
        var name = word[..<colon]
        if name.first == "[", name.last == "]" { name = name.dropFirst().dropLast() }
        let number = word[word.index(after: colon)...]
        let port = UInt16(number)
        if port == nil && number != "*" { return nil }
        self.init(host: name == "*" ? nil : String(name), port: port)
    }
}
