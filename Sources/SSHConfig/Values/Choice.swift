/// A value that is one of a few words; the table serves reading and `-G`.
///
/// C: `struct multistate` in `readconf.c`. Words are compared without regard to case. Where a value
/// has several words, `-G` prints the first one.
public protocol Choice: Sendable, Equatable {
    /// Every word that is accepted with the value it stands for.
    static var words: [(word: String, value: Self)] { get }
}

extension Choice {
    /// The word `ssh -G` prints for this value.
    public var word: String { Self.words.first { $0.value == self }?.word ?? "UNKNOWN" }
}

/// AddressFamily, `-4` and `-6`.
public enum AddressFamily: Choice {
    /// IPv4 and IPv6.
    case any
    /// IPv4 only.
    case inet
    /// IPv6 only.
    case inet6

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: AddressFamily)] = [
        ("inet", .inet), ("inet6", .inet6), ("any", .any),
    ]
}

/// CanonicalizeHostname.
public enum CanonicalizeHostname: Choice {
    /// Names are left to the resolver.
    case no
    /// For direct connections.
    case yes
    /// For proxied connections too.
    case always

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: CanonicalizeHostname)] = [
        ("true", .yes), ("false", .no), ("yes", .yes), ("no", .no), ("always", .always),
    ]
}

/// ControlMaster and `-M`.
public enum ControlMaster: Choice {
    /// Share an existing connection only.
    case no
    /// Listen for clients.
    case yes
    /// Listen, and ask before each client.
    case ask
    /// Share if there is a master, else become one.
    case auto
    /// As ``auto``, and ask before each client.
    case autoAsk

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: ControlMaster)] = [
        ("true", .yes), ("yes", .yes), ("false", .no), ("no", .no), ("auto", .auto), ("ask", .ask),
        ("autoask", .autoAsk),
    ]
}

/// PubkeyAuthentication.
public enum PubkeyAuthentication: Choice {
    /// Never.
    case no
    /// Without the host-bound extension.
    case unbound
    /// With the host-bound extension only.
    case hostBound
    /// Either form.
    case yes

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: PubkeyAuthentication)] = [
        ("true", .yes), ("false", .no), ("yes", .yes), ("no", .no), ("unbound", .unbound),
        ("host-bound", .hostBound),
    ]
}

/// RequestTTY, `-t`, `-tt` and `-T`.
public enum RequestTTY: Choice {
    /// A terminal for a shell, none for a command.
    case auto
    /// Never.
    case no
    /// When our standard input is a terminal.
    case yes
    /// Always.
    case force

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: RequestTTY)] = [
        ("true", .yes), ("yes", .yes), ("false", .no), ("no", .no), ("force", .force),
        ("auto", .auto),
    ]
}

/// SessionType, `-N` and `-s`.
public enum SessionType: Choice {
    /// No session at all, for forwards only.
    case none
    /// The command names a subsystem.
    case subsystem
    /// A shell or a command.
    case `default`

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: SessionType)] = [
        ("none", .none), ("subsystem", .subsystem), ("default", .default),
    ]
}

/// StrictHostKeyChecking.
public enum StrictHostKeyChecking: Choice {
    /// Unknown keys are learnt; changed ones only disable what is dangerous (`no`, `off`).
    case no
    /// Unknown keys are learnt, changed ones refused.
    case acceptNew
    /// Unknown and changed keys are refused.
    case yes
    /// The user is asked about unknown keys; changed ones are refused.
    case ask

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: StrictHostKeyChecking)] = [
        ("true", .yes), ("false", .no), ("yes", .yes), ("no", .no), ("ask", .ask), ("off", .no),
        ("accept-new", .acceptNew),
    ]
}

/// Tunnel.
public enum TunnelMode: Choice {
    /// No tun device.
    case no
    /// Layer 3.
    case pointToPoint
    /// Layer 2.
    case ethernet

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: TunnelMode)] = [
        ("ethernet", .ethernet), ("point-to-point", .pointToPoint), ("true", .pointToPoint),
        ("yes", .pointToPoint), ("false", .no), ("no", .no),
    ]
}

/// VerifyHostKeyDNS and UpdateHostKeys.
public enum YesNoAsk: Choice {
    /// Off.
    case no
    /// On.
    case yes
    /// On, asking each time.
    case ask

    /// The words of ssh_config(5).
    public static let words: [(word: String, value: YesNoAsk)] = [
        ("true", .yes), ("false", .no), ("yes", .yes), ("no", .no), ("ask", .ask),
    ]
}
