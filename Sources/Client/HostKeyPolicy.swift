internal import SSH
public import SSHConfig

/// What the options say about host keys, and whom the key in question belongs to.
public struct HostKeyPolicy: Sendable {
    /// Things that a wrong server could misuse.
    public struct Exposed: OptionSet, Sendable, Hashable {
        /// One bit each.
        public let rawValue: Int
        /// Wraps the bits.
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// PasswordAuthentication.
        public static let password = Exposed(rawValue: 1 << 0)
        /// KbdInteractiveAuthentication.
        public static let keyboardInteractive = Exposed(rawValue: 1 << 1)
        /// ForwardAgent.
        public static let agent = Exposed(rawValue: 1 << 2)
        /// ForwardX11.
        public static let x11 = Exposed(rawValue: 1 << 3)
        /// LocalForward, DynamicForward and RemoteForward.
        public static let ports = Exposed(rawValue: 1 << 4)
        /// Tunnel.
        public static let tunnel = Exposed(rawValue: 1 << 5)
        /// UpdateHostKeys.
        public static let keyUpdates = Exposed(rawValue: 1 << 6)
    }

    /// The options of the run.
    public var options: Options
    /// The address that answered, as numbers; nil when a proxy command or jump host carries it.
    public var address: String?
    /// The home directory, for `~` and for making `~/.ssh`; empty when unknown.
    public var home: String
    /// VerifyHostKeyDNS: whether a record of the name says the same; nil when it is not asked for.
    public var matchesDNS: Bool?
    /// Whether that is enough to trust the key: the record is validated, and may count.
    public var isProvedByDNS = false
    /// Whether a record of the name says otherwise.
    public var differsFromDNS = false

    /// Puts together what a decision needs.
    /// - Parameters:
    ///   - options: the options of the run.
    ///   - address: the address that answered, as numbers; nil behind a proxy.
    ///   - home: the home directory; empty when unknown.
    public init(_ options: Options, address: String?, home: String) {
        self.options = options
        self.address = address
        self.home = home
    }

    /// The name under which the host's keys are looked up and kept.
    ///
    /// C: `get_hostfile_hostname_ipaddr`.
    public var knownHostsName: String { name(port: options.port) }
    /// UserKnownHostsFile, as paths; new keys go to the first.
    public var userFiles: [String] { paths(options.userKnownHostsFile) }
    /// GlobalKnownHostsFile, as paths.
    public var systemFiles: [String] { paths(options.globalKnownHostsFile) }
    /// RevokedHostKeys, as a path; nil when there is none.
    var revokedKeysFile: String? { options.revokedHostKeys.flatMap { paths([$0]).first } }

    /// What is asked for of a server that must not have it.
    var exposed: Exposed {
        let forwards = !options.localForwards.isEmpty || !options.remoteForward.isEmpty
        let asked: [(Exposed, Bool)] = [
            (.password, options.passwordAuthentication),
            (.keyboardInteractive, options.kbdInteractiveAuthentication),
            (.agent, options.forwardAgent),
            (.x11, options.forwardX11),
            (.ports, forwards),
            (.tunnel, options.tunnel != .no),
            (.keyUpdates, options.updateHostKeys != .no),
        ]
        return Exposed(asked.filter { $0.1 }.map { $0.0 })
    }

    /// The host's name as it is connected to.
    var host: String { options.hostname.asciiLowercased }

    /// Whether the address is this machine's own.
    ///
    /// C: `sockaddr_is_local`.
    var isLoopback: Bool { address.map { $0.hasPrefix("127.") || $0 == "::1" } ?? false }

    /// As ``knownHostsName``, for another port; 0 for none.
    func name(port: Int) -> String {
        options.hostKeyAlias ?? KnownHostsName.of(host, port: port)
    }

    /// The name of the address, as messages and files have it.
    func addressName(port: Int) -> String {
        address.map { KnownHostsName.of($0, port: port) } ?? "<no hostip for proxy command>"
    }

    private func paths(_ words: [String]) -> [String] {
        KnownHosts.paths(words).map { $0.hasPrefix("~/") ? home + $0.dropFirst() : $0 }
    }
}

extension String {
    /// In lower case as OpenSSH makes it: letters of ASCII alone.
    var asciiLowercased: String {
        String(
            decoding: utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self
        )
    }

    /// At most so many bytes, as C's `%.200s`.
    func prefix(bytes: Int) -> String { String(decoding: utf8.prefix(bytes), as: UTF8.self) }
}
