/// The words that configurations are made of.
extension ConfigurationValues {
    static let texts = [
        "abc", "a.b-c", "%h", "\"two words\"", "a,b,c", "none", "user", "x%y", "${VAR}", "~x",
        "UPPER",
        "2001:db8::1", "127.1", "back\\slash", "it's", "'it s'", "\"esc\\\"aped\"", "a#b", "naïve",
    ]
    static let commands = [
        "nc %h %p", "none", "NONE", "\"quoted cmd\" arg", "echo 'a b' %n", "=cmd", "  spaced",
        "a # b",
        "cmd %z", "cmd %% %C", "/bin/true", "x \"unclosed", "-", "cmd ${VAR}", "exec %d/%u",
    ]
    static let files = [
        "~/.ssh/known_hosts", "/tmp/kh-%h", "none", "~/kh_${VAR}", "\"/tmp/a b\"", "/etc/kh",
        "${NOPE}",
        "%k", "%q", "~nobody2/x", "\"\"", "/tmp/%%x",
    ]
    static let variables = [
        "LANG", "LC_*", "FOO", "-LANG", "-LC_*", "-*", "A_B", "A=B", "\"\"", "B?R", "*",
    ]
    static let assignments = [
        "A=b", "B=\"x y\"", "A=c", "C=", "=d", "NOEQ", "A==", "D='1 2'", "E=a=b", "\"F=g h\"",
    ]
    static let qualities = [
        "none", "af11", "AF42", "cs0", "cs7", "ef", "le", "lowdelay", "throughput", "reliability",
        "0x10", "8", "255", "256", "-1", "010", "0xff", "cs8", "1x", "0x",
    ]
    static let patterns = [
        "*", "target", "tar*", "t?rget", "!target", "!nomatch", "other", "TARGET", "*.example.com",
        "10.*", "\"target\"", "target,x", "?", "!*", "t*t", "\"\"", "!", "# c", "a b",
    ]
    static let includes = [
        "$DIR/inc*", "$DIR/inc1", "$DIR/none*", "relative_nope", "~/nope", "$DIR/loop", "\"\"",
        "$DIR/inc[12]", "$DIR/sub", "$DIR/deep", "$DIR/perm", "$DIR/bad", "$DIR/inc1/x",
    ]
    static let targets = [
        "any", "none", "host:80", "[::1]:22", "host:*", "host", "host:0", "a/b", "*:80", "ANY",
        "host:x", "\"\"",
    ]
    static let domains = [
        "example.com", "EXAMPLE.org.", "none", "a..b", "-x", "\"\"", "x_y", "a.b.c", "ex*mple",
        "1.2",
    ]
    static let aliases = [
        "*:*", "none", "*", "*.a:*.b", "X.Y:Z", "nocolon", "x:", ":y", "a,b:c,d", "\"\"",
    ]
    static let criteria = [
        "all", "final", "canonical", "host target", "host tar*,!x", "host nomatch", "HOST target",
        "originalhost target", "user me", "user root,*", "localuser root", "localuser nobody",
        "exec true", "exec false", "exec \"test %h = target\"", "exec \"exit 3\"", "bogus x",
        "host",
        "exec \"echo %z\"", "user", "final all", "# comment", "localnetwork 10.0.0.0/8", "tagged x",
        "exec \"test %p = 22 -a %r = root\"", "host=target", "user \"\"", "\"host\" target",
        "exec 'true'", "exec \"test -n '%C%L%d%k%l%n%u%i'\"",
    ]

    static let ciphers = [
        "aes128-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com",
        "3des-cbc", "aes192-cbc",
    ]
    static let macs = [
        "hmac-sha1", "hmac-sha2-256", "umac-64@openssh.com", "hmac-sha2-512-etm@openssh.com",
        "hmac-md5-96",
    ]
    static let kex = [
        "curve25519-sha256", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256",
        "sntrup761x25519-sha512@openssh.com", "gss-group14-sha256-abc",
        "diffie-hellman-group1-sha1",
    ]
    static let keys = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-rsa", "ssh-dss", "ECDSA",
        "ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", "rsa-sha2-256",
        "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    ]
    static let gssKex = [
        "gss-group14-sha256-", "gss-gex-sha1-", "gss-curve25519-sha256-", "gss-nistp256-sha256-x",
    ]

    private static let yesNoAsk = ["yes", "no", "ask", "true", "false", "Ask"]

    /// Every keyword with what it takes; those without a meaning of their own are in `gone`.
    static let keywords: [(name: String, kind: Kind)] = [
        ("AddKeysToAgent", .words(yesNoAsk + ["confirm", "confirm 5m", "1h", "yes 5m", "5m 5m"])),
        ("AddressFamily", .words(["any", "inet", "inet6", "INET"])), ("BatchMode", .flag),
        ("BindAddress", .text), ("BindInterface", .text), ("CanonicalDomains", .domains),
        ("CanonicalizeFallbackLocal", .flag), ("CanonicalizeMaxDots", .number),
        ("CanonicalizePermittedCNAMEs", .aliases), ("CASignatureAlgorithms", .algorithms(keys)),
        ("CertificateFile", .path), ("CheckHostIP", .flag), ("Ciphers", .algorithms(ciphers)),
        ("ClearAllForwardings", .flag), ("Compression", .words(["yes", "no", "true"])),
        ("ConnectionAttempts", .number), ("ConnectTimeout", .time),
        ("ControlMaster", .words(["yes", "no", "ask", "auto", "autoask", "true"])),
        ("ControlPath", .path),
        ("ControlPersist", .words(["yes", "no", "5m", "0", "true", "x", "YES"])),
        ("DynamicForward", .dynamic), ("EnableEscapeCommandline", .flag),
        ("EnableSSHKeysign", .flag),
        (
            "EscapeChar",
            .words(["none", "~", "^A", "^?", "x", "^", "\\", "\" \"", "^@", "xy", "^é", "#"])
        ),
        ("ExitOnForwardFailure", .flag),
        ("FingerprintHash", .words(["md5", "SHA256", "sha1", "sha384", "SHA512", "sha3"])),
        ("ForkAfterAuthentication", .flag), ("ForwardAgent", .path), ("ForwardAgent", .flag),
        ("ForwardX11", .flag), ("ForwardX11Timeout", .time), ("ForwardX11Trusted", .flag),
        ("GatewayPorts", .flag), ("GlobalKnownHostsFile", .files), ("GSSAPIAuthentication", .flag),
        ("GSSAPIClientIdentity", .text), ("GSSAPIDelegateCredentials", .flag),
        ("GSSAPIKexAlgorithms", .algorithms(gssKex)), ("GSSAPIKeyExchange", .flag),
        ("GSSAPIRenewalForcesRekey", .flag), ("GSSAPIServerIdentity", .text),
        ("GSSAPITrustDns", .flag), ("HashKnownHosts", .flag),
        ("HostbasedAcceptedAlgorithms", .algorithms(keys)), ("HostbasedAuthentication", .flag),
        ("HostbasedKeyTypes", .algorithms(keys)), ("HostKeyAlgorithms", .algorithms(keys)),
        ("HostKeyAlias", .text), ("Hostname", .text), ("IdentitiesOnly", .flag),
        ("IdentityAgent", .path), ("IdentityFile", .path), ("IdentityFile2", .path),
        ("IgnoreUnknown", .words(["Foo*", "*", "bar", "EC3*,foo*", "!foo,*"])),
        ("Include", .include), ("IPQoS", .qos), ("KbdInteractiveAuthentication", .flag),
        ("ChallengeResponseAuthentication", .flag), ("KbdInteractiveDevices", .text),
        ("KeepAlive", .flag), ("KexAlgorithms", .algorithms(kex)), ("KnownHostsCommand", .command),
        ("LocalCommand", .command), ("LocalForward", .local), ("LocalForward", .local),
        ("LogLevel", .words(["INFO", "ERROR", "fatal", "VERBOSE", "INFO", "x"])),
        ("LogVerbose", .words(["none", "kex.c:*:1000", "a b", "none b", "a none"])),
        ("MACs", .algorithms(macs)), ("NoHostAuthenticationForLocalhost", .flag),
        ("NumberOfPasswordPrompts", .number), ("PasswordAuthentication", .flag),
        ("PermitLocalCommand", .flag), ("PermitRemoteOpen", .targets), ("PKCS11Provider", .path),
        ("Port", .port), ("PreferredAuthentications", .text), ("ProtocolKeepAlives", .time),
        ("ProxyCommand", .command), ("ProxyJump", .jump), ("ProxyUseFdpass", .flag),
        ("PubkeyAcceptedAlgorithms", .algorithms(keys)),
        ("PubkeyAcceptedKeyTypes", .algorithms(keys)),
        ("PubkeyAuthentication", .words(["yes", "no", "unbound", "host-bound", "true"])),
        ("RekeyLimit", .rekey), ("RemoteCommand", .command), ("RemoteForward", .remote),
        ("RequestTTY", .words(["yes", "no", "force", "auto", "true", "false"])),
        ("RequiredRSASize", .number), ("RevokedHostKeys", .path), ("SecurityKeyProvider", .path),
        ("SendEnv", .names), ("ServerAliveCountMax", .number), ("ServerAliveInterval", .time),
        ("SessionType", .words(["none", "subsystem", "default"])), ("SetEnv", .assignments),
        ("SetupTimeOut", .time), ("SmartcardDevice", .path), ("StdinNull", .flag),
        (
            "StreamLocalBindMask",
            .words(["0177", "0", "777", "1000", "8", "077x", "-1", "40000000000"])
        ),
        ("StreamLocalBindUnlink", .flag),
        ("StrictHostKeyChecking", .words(yesNoAsk + ["accept-new", "off"])),
        ("SyslogFacility", .words(["USER", "daemon", "LOCAL7", "AUTHPRIV", "x"])),
        ("TCPKeepAlive", .flag),
        ("Tunnel", .words(["yes", "no", "point-to-point", "ethernet", "true", "x"])),
        (
            "TunnelDevice",
            .words(["any", "0:1", "any:3", "5", "1:2:3", "x", "3:", ":3", "ANY:any"])
        ),
        ("UpdateHostKeys", .words(yesNoAsk)), ("User", .text), ("UserKnownHostsFile", .files),
        ("VerifyHostKeyDNS", .words(yesNoAsk)), ("VisualHostKey", .flag), ("XAuthLocation", .path),
    ]

    /// Keywords by which names are looked up.
    static let canonicalKeywords: [(name: String, kind: Kind)] = [
        ("CanonicalizeHostname", .words(["yes", "always", "yes", "no", "true"])),
        ("CanonicalizeHostname", .words(["yes", "always"])),
        ("CanonicalDomains", .words(["example.com", "nope.org example.com", "a.org a", "none"])),
        ("CanonicalizePermittedCNAMEs", .words(["*:*", "*.a.org:*.b", "*.a:*.b X.Y:Z", "none"])),
        ("CanonicalizeMaxDots", .words(["0", "1", "3"])), ("CanonicalizeFallbackLocal", .flag),
        (
            "Hostname",
            .words(["alias", "other", "bare", "%h.example.com", "bare.a", "other.a.org."])
        ),
        ("Match", .words(["canonical", "final host *.b", "canonical host target.example.com"])),
    ]

    static let gone = [
        "Protocol", "Cipher", "UseRoaming", "UsePrivilegedPort", "RSAAuthentication",
        "CompressionLevel", "KerberosAuthentication", "FooBar", "foo", "Bar", "EC3Host", "hos",
        "GlobalKnownHostsFile2", "\"Port\"", "Po\"rt\"", "é", "-", "!", "1",
    ]
}
