public import Faults

/// The whole configuration of one run, every default filled in.
///
/// One property per keyword of ssh_config(5) 9.2 (Debian's), by its name; the same whether it came
/// from a flag, `-o`, a file or a default. Made by ``OptionsResolver``; what `ec2sh -G` prints is a dump
/// of this value. Text that is not UTF-8 is kept as ``LosslessText`` tells.
public struct Options: Sendable {
    // MARK: Who and where

    /// The destination as typed, without user, port or brackets of a URI; `%n`.
    public var host: String
    /// The name or address to connect to: Hostname expanded, lower case, canonical; `%h`.
    public var hostname: String
    /// TCP port, 1 to 65,535.
    public var port: Int = 22
    /// The remote user; the local user's name when none was given (``isSet(_:)``).
    public var user: String = ""
    /// The name to look host keys up by, in place of ``hostname``.
    public var hostKeyAlias: String?
    /// Patterns of keywords that may be unknown.
    public var ignoreUnknown: String?

    // MARK: The connection

    /// Which kinds of addresses are tried.
    public var addressFamily: AddressFamily = .any
    /// The local address to connect from.
    public var bindAddress: String?
    /// The local interface to connect from.
    public var bindInterface: String?
    /// Seconds until an attempt to connect is given up; nil as long as the system does.
    public var connectTimeout: Int?
    /// Tries, one second apart.
    public var connectionAttempts: Int = 1
    /// SO_KEEPALIVE.
    public var tcpKeepAlive: Bool = true
    /// Types of service; Debian's defaults are lowdelay and throughput.
    public var ipqos: QualityOfService = QualityOfService(interactive: 0x10, bulk: 0x08)
    /// The command that connects, `%` not expanded; nil when none, or when ``proxyJump`` is given.
    public var proxyCommand: String?
    /// Hosts to go through, in the order they are reached.
    public var proxyJump: [JumpHost] = []
    /// ProxyCommand hands over a descriptor and ends.
    public var proxyUseFdpass: Bool = false
    /// Seconds of silence after which the server is asked for a sign of life; 0 is never.
    public var serverAliveInterval: Int = 0
    /// Questions without an answer that end the connection.
    public var serverAliveCountMax: Int = 3

    // MARK: Canonical names

    /// Suffixes to try, in order.
    public var canonicalDomains: [String] = []
    /// Names found under no suffix go to the resolver as they are.
    public var canonicalizeFallbackLocal: Bool = true
    /// Whether names are made canonical.
    public var canonicalizeHostname: CanonicalizeHostname = .no
    /// Names with more dots are canonical already.
    public var canonicalizeMaxDots: Int = 1
    /// Aliases that may be followed.
    public var canonicalizePermittedCNAMEs: [PermittedCNAME] = []

    // MARK: The transport
    // Lists are OpenSSH's own, expanded; Algorithms.usable gives what libssh can do of them.

    /// Ciphers in order of preference.
    public var ciphers: [String] = Algorithms.defaultCiphers
    /// Message authentication codes in order of preference.
    public var macs: [String] = Algorithms.defaultMACs
    /// Key exchanges in order of preference.
    public var kexAlgorithms: [String] = Algorithms.defaultKex
    /// Host key algorithms in order of preference; when not set, those of known keys go first.
    public var hostKeyAlgorithms: [String] = Algorithms.defaultKeys
    /// Signatures accepted on certificates.
    public var caSignatureAlgorithms: [String] = Algorithms.defaultSignatures
    /// Compress what is sent and received.
    public var compression: Bool = false
    /// When keys are changed.
    public var rekeyLimit: RekeyLimit = RekeyLimit(bytes: 0, seconds: 0)
    /// Bits below which RSA keys are refused.
    public var requiredRSASize: Int = 1024

    // MARK: The host key

    /// What happens with unknown and changed keys.
    public var strictHostKeyChecking: StrictHostKeyChecking = .ask
    /// Files of known keys, expanded; new ones go into the first.
    public var userKnownHostsFile: [String] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
    /// The system's files of known keys; `~` not expanded.
    public var globalKnownHostsFile: [String] = [
        "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2",
    ]
    /// Names are written hashed.
    public var hashKnownHosts: Bool = false
    /// The address is looked up as well as the name.
    public var checkHostIP: Bool = false
    /// A command that prints known keys, not expanded.
    public var knownHostsCommand: String?
    /// Loopback hosts are not checked.
    public var noHostAuthenticationForLocalhost: Bool = false
    /// A file of keys never to be accepted.
    public var revokedHostKeys: String?
    /// Learn the server's other keys.
    public var updateHostKeys: YesNoAsk = .yes
    /// Look for SSHFP records.
    public var verifyHostKeyDNS: YesNoAsk = .no
    /// How fingerprints are shown.
    public var fingerprintHash: FingerprintHash = .sha256
    /// Draw the fingerprint.
    public var visualHostKey: Bool = false

    // MARK: Keys on this side

    /// Key files to try, in order, with who named them.
    public var identities: [IdentityPath] = IdentityPath.defaults
    /// Certificates to offer, in order, with who named them.
    public var certificates: [IdentityPath] = []
    /// Keys the agent has are used only if a file names them.
    public var identitiesOnly: Bool = false
    /// The agent's socket: a path, `none`, `SSH_AUTH_SOCK`, or `$` and a variable's name.
    public var identityAgent: String?
    /// Whether keys that were used go to the agent.
    public var addKeysToAgent: AddKeysToAgent = AddKeysToAgent(.no)
    /// A PKCS#11 library.
    public var pkcs11Provider: String?
    /// A FIDO library, or `internal`.
    public var securityKeyProvider: String? = "internal"

    // MARK: The login

    /// Nobody is there to be asked.
    public var batchMode: Bool = false
    /// Methods in order, separated by commas; nil is ssh's own order.
    public var preferredAuthentications: String?
    /// Whether keys are tried.
    public var pubkeyAuthentication: PubkeyAuthentication = .yes
    /// Signatures we may make.
    public var pubkeyAcceptedAlgorithms: [String] = Algorithms.defaultKeys
    /// Whether passwords are tried.
    public var passwordAuthentication: Bool = true
    /// Whether questions of the server are answered.
    public var kbdInteractiveAuthentication: Bool = true
    /// Which kinds of questions, separated by commas.
    public var kbdInteractiveDevices: String?
    /// How often a password is asked for.
    public var numberOfPasswordPrompts: Int = 3
    /// Whether this host's key is tried.
    public var hostbasedAuthentication: Bool = false
    /// Signatures this host may make.
    public var hostbasedAcceptedAlgorithms: [String] = Algorithms.defaultKeys
    /// ssh-keysign may run.
    public var enableSSHKeysign: Bool = false
    /// Whether Kerberos is tried.
    public var gssapiAuthentication: Bool = false
    /// Debian's key exchange by Kerberos.
    public var gssapiKeyExchange: Bool = false
    /// Tickets are handed on.
    public var gssapiDelegateCredentials: Bool = false
    /// DNS decides about the server's principal.
    public var gssapiTrustDns: Bool = false
    /// New tickets change keys.
    public var gssapiRenewalForcesRekey: Bool = false
    /// Our principal.
    public var gssapiClientIdentity: String?
    /// The server's principal.
    public var gssapiServerIdentity: String?
    /// Key exchanges by Kerberos, separated by commas.
    public var gssapiKexAlgorithms: String = Algorithms.defaultGSSKex

    // MARK: The session

    /// Whether there is a terminal.
    public var requestTTY: RequestTTY = .auto
    /// What kind of session.
    public var sessionType: SessionType = .default
    /// The command of the configuration, expanded.
    public var remoteCommand: String?
    /// A command to run here after the login, `%` not expanded.
    public var localCommand: String?
    /// ``localCommand`` and `~C`'s `!` are allowed.
    public var permitLocalCommand: Bool = false
    /// The escape character, nil for none.
    public var escapeChar: UInt8? = UInt8(ascii: "~")
    /// `~C` is allowed.
    public var enableEscapeCommandline: Bool = false
    /// Patterns of variables to send.
    public var sendEnv: [String] = []
    /// Variables to send, each `NAME=value`.
    public var setEnv: [String] = []
    /// Standard input is /dev/null.
    public var stdinNull: Bool = false
    /// Go to the background after the login.
    public var forkAfterAuthentication: Bool = false

    // MARK: Forwards

    /// LocalForward and DynamicForward in the order given.
    public var localForwards: [Forward] = []
    /// RemoteForward.
    public var remoteForward: [Forward] = []
    /// `-W`.
    public var stdioForward: StdioForward?
    /// Targets a remote dynamic forward may reach, each `host:port`, or only `none`; empty is any.
    public var permitRemoteOpen: [String] = []
    /// Forwards are forgotten (they already are in these options).
    public var clearAllForwardings: Bool = false
    /// A forward that fails ends the run.
    public var exitOnForwardFailure: Bool = false
    /// Others may connect to our listeners.
    public var gatewayPorts: Bool = false
    /// The umask for Unix sockets.
    public var streamLocalBindMask: Int = 0o177
    /// An old Unix socket is removed first.
    public var streamLocalBindUnlink: Bool = false
    /// The agent is forwarded: the one at ``forwardAgentSocket``, else SSH_AUTH_SOCK's.
    public var forwardAgent: Bool = false
    /// The agent to forward: a path, or `$` and a variable's name.
    public var forwardAgentSocket: String?
    /// X11 is forwarded.
    public var forwardX11: Bool = false
    /// X11 clients are trusted; Debian's default.
    public var forwardX11Trusted: Bool = true
    /// Seconds an untrusted X11 cookie lives.
    public var forwardX11Timeout: Int = 1200
    /// The xauth program.
    public var xAuthLocation: String = "/usr/bin/xauth"
    /// A tun device is forwarded.
    public var tunnel: TunnelMode = .no
    /// Its unit numbers.
    public var tunnelDevice: TunnelDevice = TunnelDevice(local: nil, remote: nil)

    // MARK: Sharing a connection

    /// Whether we serve others.
    public var controlMaster: ControlMaster = .no
    /// The socket's path, expanded.
    public var controlPath: String?
    /// How long a master stays.
    public var controlPersist: ControlPersist = .no

    // MARK: What is told

    /// How much.
    public var logLevel: Trace.Level = .info
    /// Places of OpenSSH's source that always speak; accepted and without meaning here.
    public var logVerbose: [String] = []
    /// Where `-y` goes.
    public var syslogFacility: SyslogFacility = .user

    // MARK: Ours

    /// Whether the target is treated as an instance.
    public var ec2Host: AutoYesNo = .auto
    /// `i-…` or `tag:KEY=VALUE`: the instance this host stands for.
    public var ec2Instance: String?
    /// The AWS profile.
    public var ec2Profile: String?
    /// The AWS region.
    public var ec2Region: String?
    /// User names to try, in order; empty is by AMI.
    public var ec2Users: [String] = []
    /// Other names: only when the user gave none, always, never.
    public var ec2UserFallback: AutoYesNo = .auto
    /// Ways allowed, in order of preference.
    public var ec2Ways: [WayName] = [.direct, .endpoint, .ssm]
    /// Instance Connect key push: when refused, always first, never.
    public var ec2PushKey: AutoYesNo = .auto
    /// A Session Manager shell when sshd cannot be reached: interactive only, always, never.
    public var ec2ShellFallback: AutoYesNo = .auto
    /// A private key of ours that is too open is set to 0600.
    public var ec2FixKeyPermissions: Bool = true
    /// Prove an unknown host key before asking.
    public var ec2VerifyHostKey: HostKeyProof = .auto
    /// Resumable sessions: for instances, always, never.
    public var resume: AutoYesNo = .auto
    /// Seconds a detached session is kept.
    public var resumeTimeout: Int = 86_400
    /// Bytes kept for replay in each direction; nil is 16 MiB, 4 MiB for a terminal.
    public var resumeBuffer: Int?
    /// What happens when that is full.
    public var resumeOverflow: ResumeOverflow = .auto

    /// Keywords somebody gave a value for, by a flag or in a file.
    public var given = KeywordSet()

    /// Makes ssh's defaults for a destination.
    /// - Parameters:
    ///   - host: the destination as typed.
    ///   - hostname: where it leads; `host` in lower case if nil.
    public init(host: String, hostname: String? = nil) {
        self.host = host
        self.hostname = hostname ?? host.lowercased()
    }

    /// Tells whether somebody gave a value, so that a default of ours must not replace it.
    /// - Parameter keyword: any keyword but Host, Match and Include.
    /// - Returns: false when the value is a default.
    public func isSet(_ keyword: Keyword) -> Bool { given.contains(keyword) }
}

extension Options {
    /// IdentityFile: the paths of ``identities``.
    public var identityFile: [String] { identities.map(\.path) }
    /// CertificateFile: the paths of ``certificates``.
    public var certificateFile: [String] { certificates.map(\.path) }
    /// LocalForward: those of ``localForwards`` with a fixed target.
    public var localForward: [Forward] { localForwards.filter { $0.destination != .socks } }
    /// DynamicForward: those of ``localForwards`` that speak SOCKS.
    public var dynamicForward: [Forward] { localForwards.filter { $0.destination == .socks } }
}
