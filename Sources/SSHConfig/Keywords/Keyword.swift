/// Names every keyword of ssh_config(5) 9.2 as Debian ships it, and ours.
///
/// What each accepts is in ``KeywordTable``.
public enum Keyword: UInt8, CaseIterable, Sendable {
    // The shape of the file.
    case host, match, include, ignoreUnknown
    // Who and where.
    case hostname, port, user, hostKeyAlias
    // The connection.
    case addressFamily, bindAddress, bindInterface, connectTimeout, connectionAttempts
    case tcpKeepAlive, ipqos, proxyCommand, proxyJump, proxyUseFdpass
    case serverAliveInterval, serverAliveCountMax
    // Canonical names.
    case canonicalDomains, canonicalizeFallbackLocal, canonicalizeHostname, canonicalizeMaxDots
    case canonicalizePermittedCNAMEs
    // The transport.
    case ciphers, macs, kexAlgorithms, hostKeyAlgorithms, caSignatureAlgorithms, compression
    case rekeyLimit, requiredRSASize
    // The host key.
    case strictHostKeyChecking, userKnownHostsFile, globalKnownHostsFile, hashKnownHosts
    case checkHostIP, knownHostsCommand, noHostAuthenticationForLocalhost, revokedHostKeys
    case updateHostKeys, verifyHostKeyDNS, fingerprintHash, visualHostKey
    // Keys on this side.
    case identityFile, certificateFile, identitiesOnly, identityAgent, addKeysToAgent
    case pkcs11Provider, securityKeyProvider
    // The login.
    case batchMode, preferredAuthentications, pubkeyAuthentication, pubkeyAcceptedAlgorithms
    case passwordAuthentication, kbdInteractiveAuthentication, kbdInteractiveDevices
    case numberOfPasswordPrompts, hostbasedAuthentication, hostbasedAcceptedAlgorithms
    case enableSSHKeysign
    case gssapiAuthentication, gssapiKeyExchange, gssapiDelegateCredentials, gssapiTrustDns
    case gssapiRenewalForcesRekey, gssapiClientIdentity, gssapiServerIdentity, gssapiKexAlgorithms
    // The session.
    case requestTTY, sessionType, remoteCommand, localCommand, permitLocalCommand, escapeChar
    case enableEscapeCommandline, sendEnv, setEnv, stdinNull, forkAfterAuthentication
    // Forwards.
    case localForward, remoteForward, dynamicForward, permitRemoteOpen, clearAllForwardings
    case exitOnForwardFailure, gatewayPorts, streamLocalBindMask, streamLocalBindUnlink
    case forwardAgent, forwardX11, forwardX11Trusted, forwardX11Timeout, xAuthLocation
    case tunnel, tunnelDevice
    // Sharing a connection.
    case controlMaster, controlPath, controlPersist
    // What is told.
    case logLevel, logVerbose, syslogFacility
    // Ours.
    case ec2Host, ec2Instance, ec2Profile, ec2Region, ec2Users, ec2UserFallback, ec2Ways
    case ec2PushKey, ec2ShellFallback, ec2FixKeyPermissions, ec2VerifyHostKey
    case resume, resumeTimeout, resumeBuffer, resumeOverflow
}

/// A set of keywords, such as those somebody gave a value for.
public struct KeywordSet: Sendable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Makes the empty set.
    public init() {}

    /// Tells whether a keyword is in the set.
    /// - Parameter keyword: any keyword.
    /// - Returns: true when it was inserted.
    public func contains(_ keyword: Keyword) -> Bool {
        let bit = UInt64(1) << UInt64(keyword.rawValue % 64)
        return (keyword.rawValue < 64 ? low : high) & bit != 0
    }

    /// Adds a keyword.
    /// - Parameter keyword: any keyword.
    public mutating func insert(_ keyword: Keyword) {
        let bit = UInt64(1) << UInt64(keyword.rawValue % 64)
        if keyword.rawValue < 64 { low |= bit } else { high |= bit }
    }
}
