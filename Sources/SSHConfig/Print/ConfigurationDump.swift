internal import Faults

/// Prints options as `ssh -G` does, in its order.
///
/// C: `dump_client_config` in `readconf.c`.
public enum ConfigurationDump {
    /// Writes all options, one line each.
    ///
    /// Keywords of ours come last, and only those somebody gave a value for, so that what ssh
    /// would print is printed exactly.
    /// - Parameter options: the configuration of a run.
    /// - Returns: the bytes for standard output.
    public static func text(_ options: Options) -> [UInt8] {
        var out = Writer()
        for line in lines {
            for value in line.values(options) {
                out.line(line.name ?? KeywordTable.name(of: line.keyword), value)
            }
        }
        for line in ours where options.isSet(line.keyword) {
            for value in line.values(options) {
                out.line(KeywordTable.name(of: line.keyword), value)
            }
        }
        return out.bytes
    }

    private struct Writer {
        var bytes: [UInt8] = []

        init() { bytes.reserveCapacity(8_192) }

        mutating func line(_ name: String, _ value: String) {
            bytes += name.utf8
            bytes.append(UInt8(ascii: " "))
            bytes += LosslessText.bytes(value)
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// How one keyword is printed: no value is no line, several are several.
    struct Line: Sendable {
        let keyword: Keyword
        /// Where it is not the keyword's own.
        var name: String?
        let values: @Sendable (Options) -> [String]
    }

    private typealias Place<Value> = any KeyPath<Options, Value> & Sendable

    private static func flag(_ keyword: Keyword, _ place: Place<Bool>) -> Line {
        Line(keyword: keyword) { [$0[keyPath: place] ? "yes" : "no"] }
    }

    private static func word<Value: Choice>(_ keyword: Keyword, _ place: Place<Value>) -> Line {
        Line(keyword: keyword) { [$0[keyPath: place].word] }
    }

    private static func number(_ keyword: Keyword, _ place: Place<Int>) -> Line {
        Line(keyword: keyword) { [String($0[keyPath: place])] }
    }

    private static func text(_ keyword: Keyword, _ place: Place<String?>) -> Line {
        Line(keyword: keyword) { options in options[keyPath: place].map { [$0] } ?? [] }
    }

    private static func text(_ keyword: Keyword, _ place: Place<String>) -> Line {
        Line(keyword: keyword) { [$0[keyPath: place]] }
    }

    private static func list(_ keyword: Keyword, _ place: Place<[String]>) -> Line {
        Line(keyword: keyword) { [$0[keyPath: place].joined(separator: ",")] }
    }

    private static func each(_ keyword: Keyword, _ place: Place<[String]>) -> Line {
        Line(keyword: keyword) { $0[keyPath: place] }
    }

    private static func oneLine(
        _ keyword: Keyword,
        _ place: Place<[String]>,
        empty: String = "none"
    ) -> Line {
        Line(keyword: keyword) { options in
            let words = options[keyPath: place]
            return [words.isEmpty ? empty : words.joined(separator: " ")]
        }
    }

    private static func special(
        _ keyword: Keyword,
        name: String? = nil,
        _ values: @escaping @Sendable (Options) -> [String]
    ) -> Line {
        Line(keyword: keyword, name: name, values: values)
    }

    // MARK: The order

    private static let lines: [Line] = first + flags + numbers + texts + forwards + arrays + last

    private static let first: [Line] = [
        text(.host, \.host), text(.user, \.user), text(.hostname, \.hostname),
        number(.port, \.port),
    ]

    private static let flags: [Line] = [
        word(.addressFamily, \.addressFamily), flag(.batchMode, \.batchMode),
        flag(.canonicalizeFallbackLocal, \.canonicalizeFallbackLocal),
        word(.canonicalizeHostname, \.canonicalizeHostname), flag(.checkHostIP, \.checkHostIP),
        flag(.compression, \.compression), word(.controlMaster, \.controlMaster),
        flag(.enableSSHKeysign, \.enableSSHKeysign),
        flag(.clearAllForwardings, \.clearAllForwardings),
        flag(.exitOnForwardFailure, \.exitOnForwardFailure),
        word(.fingerprintHash, \.fingerprintHash), flag(.forwardX11, \.forwardX11),
        flag(.forwardX11Trusted, \.forwardX11Trusted), flag(.gatewayPorts, \.gatewayPorts),
        flag(.gssapiAuthentication, \.gssapiAuthentication),
        flag(.gssapiKeyExchange, \.gssapiKeyExchange),
        flag(.gssapiDelegateCredentials, \.gssapiDelegateCredentials),
        flag(.gssapiTrustDns, \.gssapiTrustDns),
        flag(.gssapiRenewalForcesRekey, \.gssapiRenewalForcesRekey),
        text(.gssapiClientIdentity, \.gssapiClientIdentity),
        text(.gssapiServerIdentity, \.gssapiServerIdentity),
        text(.gssapiKexAlgorithms, \.gssapiKexAlgorithms), flag(.hashKnownHosts, \.hashKnownHosts),
        flag(.hostbasedAuthentication, \.hostbasedAuthentication),
        flag(.identitiesOnly, \.identitiesOnly),
        flag(.kbdInteractiveAuthentication, \.kbdInteractiveAuthentication),
        flag(.noHostAuthenticationForLocalhost, \.noHostAuthenticationForLocalhost),
        flag(.passwordAuthentication, \.passwordAuthentication),
        flag(.permitLocalCommand, \.permitLocalCommand), flag(.proxyUseFdpass, \.proxyUseFdpass),
        word(.pubkeyAuthentication, \.pubkeyAuthentication), word(.requestTTY, \.requestTTY),
        word(.sessionType, \.sessionType), flag(.stdinNull, \.stdinNull),
        flag(.forkAfterAuthentication, \.forkAfterAuthentication),
        flag(.streamLocalBindUnlink, \.streamLocalBindUnlink),
        word(.strictHostKeyChecking, \.strictHostKeyChecking),
        flag(.tcpKeepAlive, \.tcpKeepAlive), word(.tunnel, \.tunnel),
        word(.verifyHostKeyDNS, \.verifyHostKeyDNS), flag(.visualHostKey, \.visualHostKey),
        word(.updateHostKeys, \.updateHostKeys),
        flag(.enableEscapeCommandline, \.enableEscapeCommandline),
    ]

    private static let numbers: [Line] = [
        number(.canonicalizeMaxDots, \.canonicalizeMaxDots),
        number(.connectionAttempts, \.connectionAttempts),
        number(.forwardX11Timeout, \.forwardX11Timeout),
        number(.numberOfPasswordPrompts, \.numberOfPasswordPrompts),
        number(.serverAliveCountMax, \.serverAliveCountMax),
        number(.serverAliveInterval, \.serverAliveInterval),
        number(.requiredRSASize, \.requiredRSASize),
    ]

    private static let texts: [Line] = [
        text(.bindAddress, \.bindAddress), text(.bindInterface, \.bindInterface),
        list(.ciphers, \.ciphers), text(.controlPath, \.controlPath),
        list(.hostKeyAlgorithms, \.hostKeyAlgorithms), text(.hostKeyAlias, \.hostKeyAlias),
        list(.hostbasedAcceptedAlgorithms, \.hostbasedAcceptedAlgorithms),
        text(.identityAgent, \.identityAgent), text(.ignoreUnknown, \.ignoreUnknown),
        text(.kbdInteractiveDevices, \.kbdInteractiveDevices),
        list(.kexAlgorithms, \.kexAlgorithms),
        list(.caSignatureAlgorithms, \.caSignatureAlgorithms),
        text(.localCommand, \.localCommand), text(.remoteCommand, \.remoteCommand),
        word(.logLevel, \.logLevel), list(.macs, \.macs),
        text(.pkcs11Provider, \.pkcs11Provider),
        text(.securityKeyProvider, \.securityKeyProvider),
        text(.preferredAuthentications, \.preferredAuthentications),
        list(.pubkeyAcceptedAlgorithms, \.pubkeyAcceptedAlgorithms),
        text(.revokedHostKeys, \.revokedHostKeys), text(.xAuthLocation, \.xAuthLocation),
        text(.knownHostsCommand, \.knownHostsCommand),
    ]

    private static let forwards: [Line] = [
        special(.dynamicForward) { ForwardLines.dynamic($0.localForwards) },
        special(.localForward) { ForwardLines.local($0.localForwards) },
        special(.remoteForward) { ForwardLines.remote($0.remoteForward) },
    ]

    private static let arrays: [Line] = [
        each(.identityFile, \.identityFile), oneLine(.canonicalDomains, \.canonicalDomains),
        each(.certificateFile, \.certificateFile),
        oneLine(.globalKnownHostsFile, \.globalKnownHostsFile),
        oneLine(.userKnownHostsFile, \.userKnownHostsFile), each(.sendEnv, \.sendEnv),
        each(.setEnv, \.setEnv), oneLine(.logVerbose, \.logVerbose),
    ]

    private static let last: [Line] = [
        oneLine(.permitRemoteOpen, \.permitRemoteOpen, empty: "any"),
        special(.addKeysToAgent) { options in
            let keys = options.addKeysToAgent
            if keys.lifetime <= 0 { return [keys.mode.word] }
            return [(keys.mode == .confirm ? "confirm " : "") + String(keys.lifetime)]
        },
        special(.forwardAgent) { [$0.forwardAgentSocket ?? ($0.forwardAgent ? "yes" : "no")] },
        special(.connectTimeout) { [$0.connectTimeout.map(String.init) ?? "none"] },
        special(.tunnelDevice) { options in
            let units = [options.tunnelDevice.local, options.tunnelDevice.remote]
            return [units.map { $0.map(String.init) ?? "any" }.joined(separator: ":")]
        },
        // OpenSSH's spelling.
        special(.canonicalizePermittedCNAMEs, name: "canonicalizePermittedcnames") { options in
            let pairs = options.canonicalizePermittedCNAMEs.map { "\($0.source):\($0.target)" }
            return [pairs.isEmpty ? "none" : pairs.joined(separator: " ")]
        },
        special(.controlPersist) { options in
            switch options.controlPersist {
            case .no: ["no"]
            case .forever: ["yes"]
            case .idle(let seconds): [String(seconds)]
            }
        },
        special(.escapeChar) { [$0.escapeChar.map(visibleEscape) ?? "none"] },
        special(.ipqos) { options in
            let values = [options.ipqos.interactive, options.ipqos.bulk]
            return [values.map(QualityOfService.text).joined(separator: " ")]
        },
        special(.rekeyLimit) {
            ["\(UInt64(bitPattern: $0.rekeyLimit.bytes)) \($0.rekeyLimit.seconds)"]
        },
        special(.streamLocalBindMask) { ["0" + String($0.streamLocalBindMask, radix: 8)] },
        word(.syslogFacility, \.syslogFacility),
        special(.proxyCommand) { options in
            options.proxyJump.isEmpty ? options.proxyCommand.map { [$0] } ?? [] : []
        },
        special(.proxyJump) { options in
            options.proxyJump.isEmpty ? [] : [jumpText(options.proxyJump)]
        },
    ]

    private static let ours: [Line] = [
        word(.ec2Host, \.ec2Host), text(.ec2Instance, \.ec2Instance),
        text(.ec2Profile, \.ec2Profile), text(.ec2Region, \.ec2Region), list(.ec2Users, \.ec2Users),
        word(.ec2UserFallback, \.ec2UserFallback),
        special(.ec2Ways) { [$0.ec2Ways.map(\.word).joined(separator: ",")] },
        word(.ec2PushKey, \.ec2PushKey), word(.ec2ShellFallback, \.ec2ShellFallback),
        flag(.ec2FixKeyPermissions, \.ec2FixKeyPermissions),
        word(.ec2VerifyHostKey, \.ec2VerifyHostKey), word(.resume, \.resume),
        number(.resumeTimeout, \.resumeTimeout),
        special(.resumeBuffer) { $0.resumeBuffer.map { [String($0)] } ?? [] },
        word(.resumeOverflow, \.resumeOverflow),
    ]

    // MARK: Forms of their own

    /// C: `vis` with `VIS_WHITE`.
    private static func visibleEscape(_ byte: UInt8) -> String {
        if byte == UInt8(ascii: "\\") { return "\\\\" }
        if byte > 0x20, byte < 0x7f { return String(Unicode.Scalar(byte)) }
        if byte & 0x7f == UInt8(ascii: " ") { return "\\" + String(byte, radix: 8).padded(to: 3) }
        let meta = byte & 0x80 != 0 ? "\\M" : "\\"
        let low = byte & 0x7f
        if low == 0x7f { return meta + "^?" }
        if low < 0x20 { return meta + "^" + String(Unicode.Scalar(low + 0x40)) }
        return meta + "-" + String(Unicode.Scalar(low))
    }

    private static func jumpText(_ hosts: [JumpHost]) -> String {
        guard let last = hosts.last else { return "" }
        var text = hosts.dropLast().map { $0.text + "," }.joined()
        if let user = last.user { text += user + "@" }
        let isNumeric =
            last.host.utf8.contains(UInt8(ascii: ":"))
            || last.host.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
        text += isNumeric ? "[\(last.host)]" : last.host
        if let port = last.port { text += ":\(port)" }
        return text
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        String(repeating: "0", count: max(0, count - utf8.count)) + self
    }
}

/// Forwards as `-G` prints them.
///
/// C: `dump_cfg_forwards`.
private enum ForwardLines {
    /// Also lists what only looks like one: the target is a Unix socket, or a host "socks".
    static func dynamic(_ forwards: [Forward]) -> [String] {
        forwards.compactMap { forward in
            if case .tcp(let host, _) = forward.destination, host != "socks" { return nil }
            return text(forward.listener)
        }
    }

    static func local(_ forwards: [Forward]) -> [String] {
        forwards.compactMap { forward in
            if case .tcp("socks", _) = forward.destination { return nil }
            if case .socks = forward.destination { return nil }
            return text(forward.listener) + " " + text(forward.destination)
        }
    }

    static func remote(_ forwards: [Forward]) -> [String] {
        forwards.map { text($0.listener) + " " + text($0.destination) }
    }

    private static func text(_ listener: Forward.Listener) -> String {
        switch listener {
        case .tcp(let host?, let port): "[\(host)]:\(port)"
        case .tcp(nil, let port): String(port)
        case .unix(let path): path
        }
    }

    private static func text(_ destination: Forward.Destination) -> String {
        switch destination {
        case .tcp(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): path
        case .socks: "[socks]:0"
        }
    }
}
