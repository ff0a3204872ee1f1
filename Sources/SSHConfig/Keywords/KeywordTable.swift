internal import Faults

/// Every keyword of ssh_config(5) 9.2 with Debian's, and ours: adding one is adding a row.
///
/// Several rows may stand for one keyword; `-G` prints the name in the first. C: `keywords` in
/// `readconf.c`.
enum KeywordTable {
    /// Finds a row.
    /// - Parameter name: in lower case.
    /// - Returns: nil when there is no such keyword.
    static func row(_ name: String) -> KeywordRow? {
        index[name].map { rows[$0] }
    }

    /// The name `-G` prints.
    static func name(of keyword: Keyword) -> String {
        rows.first { $0.keyword == keyword }?.name ?? ""
    }

    /// What IgnoreUnknown lets pass.
    static let ignoredUnknown = KeywordRow("", nil) { parser in
        parser.sayHere(.debug1, "Ignored unknown option \"\(parser.keyword)\"")
        parser.takeAll()
    }

    /// Row numbers by name, made with nothing that the runtime would have to look up first: every
    /// start pays for it.
    private static let index: [String: Int] = {
        var index: [String: Int] = [:]
        index.reserveCapacity(rows.count)
        for number in rows.indices where index[rows[number].name] == nil {
            index[rows[number].name] = number
        }
        return index
    }()

    static let rows: [KeywordRow] =
        structure + connection + canonical + transport + trust + identity + login + session
        + forwards + sharing + ours + gone

    private static let structure: [KeywordRow] = [
        .special("host", .host) { parser throws(ConfigParser.Stop) in try parser.readHost() },
        .special("match", .match) { parser throws(ConfigParser.Stop) in try parser.readMatch() },
        .special("include", .include) { parser throws(ConfigParser.Stop) in try parser.readInclude()
        },
        .text("ignoreunknown", .ignoreUnknown, \.ignoreUnknown),
    ]

    private static let connection: [KeywordRow] = [
        .special("hostname", .hostname) { parser throws(ConfigParser.Stop) in
            try parser.hostname()
        },
        .special("port", .port) { parser throws(ConfigParser.Stop) in try parser.port() },
        .text("user", .user, \.user),
        .text("hostkeyalias", .hostKeyAlias, \.hostKeyAlias),
        .choice("addressfamily", .addressFamily, \.addressFamily),
        .text("bindaddress", .bindAddress, \.bindAddress),
        .text("bindinterface", .bindInterface, \.bindInterface),
        .time("connecttimeout", .connectTimeout, \.connectTimeout),
        .integer("connectionattempts", .connectionAttempts, \.connectionAttempts),
        .flag("tcpkeepalive", .tcpKeepAlive, \.tcpKeepAlive),
        .flag("keepalive", .tcpKeepAlive, \.tcpKeepAlive),
        .special("ipqos", .ipqos) { parser throws(ConfigParser.Stop) in try parser.ipqos() },
        .special("proxycommand", .proxyCommand) { parser in parser.proxyCommand() },
        .special("proxyjump", .proxyJump) { parser throws(ConfigParser.Stop) in
            try parser.proxyJump()
        },
        .flag("proxyusefdpass", .proxyUseFdpass, \.proxyUseFdpass),
        .time("serveraliveinterval", .serverAliveInterval, \.serverAliveInterval),
        // Debian's names of old.
        .time("protocolkeepalives", .serverAliveInterval, \.serverAliveInterval),
        .time("setuptimeout", .serverAliveInterval, \.serverAliveInterval),
        .integer("serveralivecountmax", .serverAliveCountMax, \.serverAliveCountMax),
    ]

    private static let canonical: [KeywordRow] = [
        .special("canonicaldomains", .canonicalDomains) { parser throws(ConfigParser.Stop) in
            try parser.canonicalDomains()
        },
        .flag(
            "canonicalizefallbacklocal",
            .canonicalizeFallbackLocal,
            \.canonicalizeFallbackLocal
        ),
        .choice("canonicalizehostname", .canonicalizeHostname, \.canonicalizeHostname),
        .integer("canonicalizemaxdots", .canonicalizeMaxDots, \.canonicalizeMaxDots),
        .special("canonicalizepermittedcnames", .canonicalizePermittedCNAMEs) {
            parser throws(ConfigParser.Stop) in try parser.permittedCNAMEs()
        },
    ]

    private static let transport: [KeywordRow] = [
        .algorithms("ciphers", .ciphers, \.ciphers, .ciphers),
        .algorithms("macs", .macs, \.macs, .macs),
        .algorithms("kexalgorithms", .kexAlgorithms, \.kexAlgorithms, .kex),
        .algorithms("hostkeyalgorithms", .hostKeyAlgorithms, \.hostKeyAlgorithms, .keys),
        .algorithms(
            "casignaturealgorithms",
            .caSignatureAlgorithms,
            \.caSignatureAlgorithms,
            .signatures
        ),
        .special("compression", .compression) { parser throws(ConfigParser.Stop) in
            let words = [("yes", true), ("no", false)]
            parser.assign(.compression, \.compression, try parser.word(of: words))
        },
        .special("rekeylimit", .rekeyLimit) { parser throws(ConfigParser.Stop) in
            try parser.rekeyLimit()
        },
        .integer("requiredrsasize", .requiredRSASize, \.requiredRSASize),
    ]

    private static let trust: [KeywordRow] = [
        .choice("stricthostkeychecking", .strictHostKeyChecking, \.strictHostKeyChecking),
        .words("userknownhostsfile", .userKnownHostsFile, \.userKnownHostsFile, most: 32),
        .words("globalknownhostsfile", .globalKnownHostsFile, \.globalKnownHostsFile, most: 32),
        .flag("hashknownhosts", .hashKnownHosts, \.hashKnownHosts),
        .flag("checkhostip", .checkHostIP, \.checkHostIP),
        .command("knownhostscommand", .knownHostsCommand, \.knownHostsCommand),
        .flag(
            "nohostauthenticationforlocalhost",
            .noHostAuthenticationForLocalhost,
            \.noHostAuthenticationForLocalhost
        ),
        .text("revokedhostkeys", .revokedHostKeys, \.revokedHostKeys),
        .choice("updatehostkeys", .updateHostKeys, \.updateHostKeys),
        .choice("verifyhostkeydns", .verifyHostKeyDNS, \.verifyHostKeyDNS),
        .special("fingerprinthash", .fingerprintHash) { parser throws(ConfigParser.Stop) in
            try parser.fingerprintHash()
        },
        .flag("visualhostkey", .visualHostKey, \.visualHostKey),
    ]

    private static let identity: [KeywordRow] = [
        .special("identityfile", .identityFile) { parser throws(ConfigParser.Stop) in
            try parser.identityFile()
        },
        .special("identityfile2", .identityFile) { parser throws(ConfigParser.Stop) in
            try parser.identityFile()
        },
        .special("certificatefile", .certificateFile) { parser throws(ConfigParser.Stop) in
            try parser.certificateFile()
        },
        .flag("identitiesonly", .identitiesOnly, \.identitiesOnly),
        .special("identityagent", .identityAgent) { parser throws(ConfigParser.Stop) in
            let path = try parser.next(otherwise: "Missing argument.")
            parser.assign(.identityAgent, \.identityAgent, try parser.agentPath(path))
        },
        .special("addkeystoagent", .addKeysToAgent) { parser throws(ConfigParser.Stop) in
            try parser.addKeysToAgent()
        },
        .text("pkcs11provider", .pkcs11Provider, \.pkcs11Provider),
        .text("smartcarddevice", .pkcs11Provider, \.pkcs11Provider),
        .text("securitykeyprovider", .securityKeyProvider, \.securityKeyProvider),
    ]

    private static let login: [KeywordRow] = [
        .flag("batchmode", .batchMode, \.batchMode),
        .text("preferredauthentications", .preferredAuthentications, \.preferredAuthentications),
        .choice("pubkeyauthentication", .pubkeyAuthentication, \.pubkeyAuthentication),
        .choice("dsaauthentication", .pubkeyAuthentication, \.pubkeyAuthentication),
        .algorithms(
            "pubkeyacceptedalgorithms",
            .pubkeyAcceptedAlgorithms,
            \.pubkeyAcceptedAlgorithms,
            .keys
        ),
        .algorithms(
            "pubkeyacceptedkeytypes",
            .pubkeyAcceptedAlgorithms,
            \.pubkeyAcceptedAlgorithms,
            .keys
        ),
        .flag("passwordauthentication", .passwordAuthentication, \.passwordAuthentication),
        .flag(
            "kbdinteractiveauthentication",
            .kbdInteractiveAuthentication,
            \.kbdInteractiveAuthentication
        ),
        .flag(
            "challengeresponseauthentication",
            .kbdInteractiveAuthentication,
            \.kbdInteractiveAuthentication
        ),
        .flag(
            "skeyauthentication",
            .kbdInteractiveAuthentication,
            \.kbdInteractiveAuthentication
        ),
        .flag(
            "tisauthentication",
            .kbdInteractiveAuthentication,
            \.kbdInteractiveAuthentication
        ),
        .text("kbdinteractivedevices", .kbdInteractiveDevices, \.kbdInteractiveDevices),
        .integer("numberofpasswordprompts", .numberOfPasswordPrompts, \.numberOfPasswordPrompts),
        .flag("hostbasedauthentication", .hostbasedAuthentication, \.hostbasedAuthentication),
        .algorithms(
            "hostbasedacceptedalgorithms",
            .hostbasedAcceptedAlgorithms,
            \.hostbasedAcceptedAlgorithms,
            .keys
        ),
        .algorithms(
            "hostbasedkeytypes",
            .hostbasedAcceptedAlgorithms,
            \.hostbasedAcceptedAlgorithms,
            .keys
        ),
        .flag("enablesshkeysign", .enableSSHKeysign, \.enableSSHKeysign),
        .flag("gssapiauthentication", .gssapiAuthentication, \.gssapiAuthentication),
        .flag("gssapikeyexchange", .gssapiKeyExchange, \.gssapiKeyExchange),
        .flag(
            "gssapidelegatecredentials",
            .gssapiDelegateCredentials,
            \.gssapiDelegateCredentials
        ),
        .flag("gssapitrustdns", .gssapiTrustDns, \.gssapiTrustDns),
        .flag("gssapirenewalforcesrekey", .gssapiRenewalForcesRekey, \.gssapiRenewalForcesRekey),
        .text("gssapiclientidentity", .gssapiClientIdentity, \.gssapiClientIdentity),
        .text("gssapiserveridentity", .gssapiServerIdentity, \.gssapiServerIdentity),
        .special("gssapikexalgorithms", .gssapiKexAlgorithms) {
            parser throws(ConfigParser.Stop) in try parser.gssapiKexAlgorithms()
        },
    ]

    private static let session: [KeywordRow] = [
        .choice("requesttty", .requestTTY, \.requestTTY),
        .choice("sessiontype", .sessionType, \.sessionType),
        .command("remotecommand", .remoteCommand, \.remoteCommand),
        .command("localcommand", .localCommand, \.localCommand),
        .flag("permitlocalcommand", .permitLocalCommand, \.permitLocalCommand),
        .special("escapechar", .escapeChar) { parser throws(ConfigParser.Stop) in
            try parser.escapeChar()
        },
        .flag("enableescapecommandline", .enableEscapeCommandline, \.enableEscapeCommandline),
        .special("sendenv", .sendEnv) { parser throws(ConfigParser.Stop) in try parser.sendEnv() },
        .special("setenv", .setEnv) { parser throws(ConfigParser.Stop) in try parser.setEnv() },
        .flag("stdinnull", .stdinNull, \.stdinNull),
        .flag(
            "forkafterauthentication",
            .forkAfterAuthentication,
            \.forkAfterAuthentication
        ),
        .special("loglevel", .logLevel) { parser throws(ConfigParser.Stop) in
            try parser.logLevel()
        },
        .special("logverbose", .logVerbose) { parser throws(ConfigParser.Stop) in
            try parser.logVerbose()
        },
        .special("syslogfacility", .syslogFacility) { parser throws(ConfigParser.Stop) in
            try parser.syslogFacility()
        },
    ]

    private static let forwards: [KeywordRow] = [
        .special("localforward", .localForward) { parser throws(ConfigParser.Stop) in
            try parser.forward(.local)
        },
        .special("remoteforward", .remoteForward) { parser throws(ConfigParser.Stop) in
            try parser.forward(.remote)
        },
        .special("dynamicforward", .dynamicForward) { parser throws(ConfigParser.Stop) in
            try parser.forward(.dynamic)
        },
        .special("permitremoteopen", .permitRemoteOpen) { parser throws(ConfigParser.Stop) in
            try parser.permitRemoteOpen()
        },
        .flag("clearallforwardings", .clearAllForwardings, \.clearAllForwardings),
        .flag("exitonforwardfailure", .exitOnForwardFailure, \.exitOnForwardFailure),
        .flag("gatewayports", .gatewayPorts, \.gatewayPorts),
        .special("streamlocalbindmask", .streamLocalBindMask) {
            parser throws(ConfigParser.Stop) in try parser.streamLocalBindMask()
        },
        .flag("streamlocalbindunlink", .streamLocalBindUnlink, \.streamLocalBindUnlink),
        .special("forwardagent", .forwardAgent) { parser throws(ConfigParser.Stop) in
            try parser.forwardAgent()
        },
        .flag("forwardx11", .forwardX11, \.forwardX11),
        .flag("forwardx11trusted", .forwardX11Trusted, \.forwardX11Trusted),
        .time("forwardx11timeout", .forwardX11Timeout, \.forwardX11Timeout),
        .text("xauthlocation", .xAuthLocation, \.xAuthLocation),
        .choice("tunnel", .tunnel, \.tunnel),
        .special("tunneldevice", .tunnelDevice) { parser throws(ConfigParser.Stop) in
            try parser.tunnelDevice()
        },
    ]

    private static let sharing: [KeywordRow] = [
        .choice("controlmaster", .controlMaster, \.controlMaster),
        .text("controlpath", .controlPath, \.controlPath),
        .special("controlpersist", .controlPersist) { parser throws(ConfigParser.Stop) in
            try parser.controlPersist()
        },
    ]

    private static let ours: [KeywordRow] = [
        .choice("ec2host", .ec2Host, \.ec2Host),
        .text("ec2instance", .ec2Instance, \.ec2Instance),
        .text("ec2profile", .ec2Profile, \.ec2Profile),
        .text("ec2region", .ec2Region, \.ec2Region),
        .special("ec2users", .ec2Users) { parser throws(ConfigParser.Stop) in
            let users = try parser.commaList().map { LosslessText.string($0) }
            parser.assign(.ec2Users, \.ec2Users, users)
        },
        .choice("ec2userfallback", .ec2UserFallback, \.ec2UserFallback),
        .special("ec2ways", .ec2Ways) { parser throws(ConfigParser.Stop) in
            try parser.ec2Ways()
        },
        .choice("ec2pushkey", .ec2PushKey, \.ec2PushKey),
        .choice("ec2shellfallback", .ec2ShellFallback, \.ec2ShellFallback),
        .flag("ec2fixkeypermissions", .ec2FixKeyPermissions, \.ec2FixKeyPermissions),
        .choice("ec2verifyhostkey", .ec2VerifyHostKey, \.ec2VerifyHostKey),
        .choice("resume", .resume, \.resume),
        .time("resumetimeout", .resumeTimeout, \.resumeTimeout),
        .special("resumebuffer", .resumeBuffer) { parser throws(ConfigParser.Stop) in
            try parser.resumeBuffer()
        },
        .choice("resumeoverflow", .resumeOverflow, \.resumeOverflow),
    ]

    /// Keywords of old, accepted so that old files can be read.
    private static let gone: [KeywordRow] =
        [.special("protocol", nil) { parser in parser.takeAll() }]
        + [
            "cipher", "fallbacktorsh", "globalknownhostsfile2", "rhostsauthentication",
            "useblacklistedkeys", "userknownhostsfile2", "useroaming", "usersh",
            "useprivilegedport",
        ].map { name in
            .special(name, nil) { parser in
                parser.sayHere(.debug1, "Deprecated option \"\(parser.keyword)\"")
                parser.takeAll()
            }
        }
        + [
            "afstokenpassing", "kerberosauthentication", "kerberostgtpassing",
            "rsaauthentication", "rhostsrsaauthentication", "compressionlevel",
        ].map { name in
            .special(name, nil) { parser in
                parser.sayHere(.error, "Unsupported option \"\(parser.keyword)\"")
                parser.takeAll()
            }
        }
}
