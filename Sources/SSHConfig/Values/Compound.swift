/// AddKeysToAgent.
public struct AddKeysToAgent: Sendable, Equatable {
    /// Whether keys that were used are added to the agent.
    public enum Mode: Choice {
        /// Not.
        case no
        /// Yes.
        case yes
        /// After asking.
        case ask
        /// Yes, and the agent asks at each use.
        case confirm

        /// The words of ssh_config(5).
        public static let words: [(word: String, value: Mode)] = [
            ("true", .yes), ("false", .no), ("yes", .yes), ("no", .no), ("ask", .ask),
            ("confirm", .confirm),
        ]
    }

    /// Whether keys are added.
    public var mode: Mode
    /// Seconds the agent keeps them; 0 is for ever.
    public var lifetime: Int

    /// Makes a value.
    /// - Parameters:
    ///   - mode: whether keys are added.
    ///   - lifetime: seconds, 0 for ever.
    public init(_ mode: Mode, lifetime: Int = 0) {
        self.mode = mode
        self.lifetime = lifetime
    }
}

/// One pair of CanonicalizePermittedCNAMEs.
public struct PermittedCNAME: Sendable, Equatable {
    /// Names that may be followed, a pattern list.
    public var source: String
    /// Names that they may lead to, a pattern list.
    public var target: String
}

/// ControlPersist.
public enum ControlPersist: Sendable, Equatable {
    /// The master ends with its first client.
    case no
    /// The master stays until it is told to go.
    case forever
    /// The master goes after so many idle seconds.
    case idle(seconds: Int)
}

/// One IdentityFile or CertificateFile, with who named it.
public struct IdentityPath: Sendable, Equatable {
    /// Who named the file; decides whether its absence is worth a word.
    public enum Origin: Sendable {
        /// `-i`.
        case commandLine
        /// `-o` or the user's configuration.
        case user
        /// The system's configuration, or ssh's own list.
        case system
    }

    /// As written: `~`, `%` and `${}` are not expanded yet (``Tokens`` does that).
    public var path: String
    /// Who named it.
    public var origin: Origin

    /// What ssh tries when no IdentityFile is given.
    static let defaults = [
        "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa",
    ].map { IdentityPath(path: "~/.ssh/" + $0, origin: .system) }
}

/// IPQoS: values of the IP header's type of service byte; nil leaves the system's.
public struct QualityOfService: Sendable, Equatable {
    /// For sessions with a terminal.
    public var interactive: UInt8?
    /// For the others.
    public var bulk: UInt8?
}

/// One host of ProxyJump.
public struct JumpHost: Sendable, Equatable {
    /// The user, if named.
    public var user: String?
    /// The host as written, without brackets.
    public var host: String
    /// The port, if named.
    public var port: Int?
    /// All of it as written.
    public var text: String

    /// Makes a hop.
    /// - Parameters:
    ///   - user: the user, if named.
    ///   - host: the host, without brackets.
    ///   - port: the port, if named.
    ///   - text: all of it as written; `host` if nil.
    public init(user: String? = nil, host: String, port: Int? = nil, text: String? = nil) {
        self.user = user
        self.host = host
        self.port = port
        self.text = text ?? host
    }
}

/// RekeyLimit.
public struct RekeyLimit: Sendable, Equatable {
    /// Bytes after which keys are changed; 0 is the cipher's default.
    public var bytes: Int64
    /// Seconds after which keys are changed; 0 is never.
    public var seconds: Int
}

/// TunnelDevice: unit numbers, nil for any.
public struct TunnelDevice: Sendable, Equatable {
    /// On this side.
    public var local: Int?
    /// On the server.
    public var remote: Int?
}
