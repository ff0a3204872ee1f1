internal import Crypto

/// What `%` tokens stand for in one run, for values that are expanded when they are used.
///
/// Expanded already in ``Options``: hostname, remoteCommand, controlPath, identityAgent,
/// forwardAgentSocket, userKnownHostsFile and the paths of forwards. The rest is expanded by the
/// functions here when it is needed: ssh does so too, and `-G` shows it unexpanded.
public struct Tokens: Sendable {
    /// `%l`, and up to its first dot `%L`.
    public var localHost: String
    /// `%h`: where the name led to.
    public var hostname: String
    /// `%n`: the destination as typed.
    public var host: String
    /// `%p`: the port.
    public var port: Int
    /// `%r`: the remote user.
    public var remoteUser: String
    /// `%u`: who runs us.
    public var localUser: String
    /// `%i`: the same by number.
    public var localUserID: UInt32
    /// `%d`, and what `~` stands for.
    public var home: String
    /// `%k`: the name host keys go by.
    public var keyAlias: String

    /// The value of a token that most keywords know.
    ///
    /// C: `DEFAULT_CLIENT_PERCENT_EXPAND_ARGS`.
    /// - Parameter letter: what follows the percent sign.
    /// - Returns: nil for what is none.
    public func value(_ letter: UInt8) -> String? {
        switch letter {
        case UInt8(ascii: "C"): connectionHash
        case UInt8(ascii: "L"): String(Substring(localHost.utf8.prefix { $0 != UInt8(ascii: ".") }))
        case UInt8(ascii: "d"): home
        case UInt8(ascii: "h"): hostname
        case UInt8(ascii: "i"): String(localUserID)
        case UInt8(ascii: "k"): keyAlias
        case UInt8(ascii: "l"): localHost
        case UInt8(ascii: "n"): host
        case UInt8(ascii: "p"): String(port)
        case UInt8(ascii: "r"): remoteUser
        case UInt8(ascii: "u"): localUser
        default: nil
        }
    }

    /// `%C`: SHA-1 of `%l%h%p%r` in hex.
    ///
    /// C: `ssh_connection_hash`.
    public var connectionHash: String {
        var hash = Insecure.SHA1()
        for part in [localHost, hostname, String(port), remoteUser] {
            hash.update(data: LosslessText.bytes(part))
        }
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }
}

// MARK: Values that are expanded late

extension Tokens {
    /// Expands ProxyCommand: `%h %k %n %p %r`.
    /// - Parameter command: ``Options/proxyCommand``.
    /// - Returns: what the shell is given.
    /// - Throws: ``ConfigurationFault`` for an unknown token.
    public func proxyCommand(_ command: String) throws(ConfigurationFault) -> String {
        try percent(command) { letter in
            "hknpr".utf8.contains(letter) ? value(letter) : nil
        }
    }

    /// Expands LocalCommand: the usual tokens and `%T`.
    /// - Parameters:
    ///   - command: ``Options/localCommand``.
    ///   - tunnelInterface: `%T`, nil when there is no tunnel.
    /// - Returns: what the shell is given.
    /// - Throws: ``ConfigurationFault`` for an unknown token.
    public func localCommand(
        _ command: String,
        tunnelInterface: String? = nil
    ) throws(ConfigurationFault) -> String {
        try percent(command) { letter in
            letter == UInt8(ascii: "T") ? tunnelInterface ?? "NONE" : value(letter)
        }
    }

    /// Expands a file's name: `~`, the usual tokens and `${}`.
    ///
    /// For IdentityFile and CertificateFile.
    /// - Parameters:
    ///   - path: one of ``Options/identityFile`` or ``Options/certificateFile``.
    ///   - environment: knows variables and other users' homes.
    /// - Returns: the path.
    /// - Throws: ``ConfigurationFault`` for an unknown token, variable or user.
    public func file(
        _ path: String,
        in environment: ConfigEnvironment
    ) throws(ConfigurationFault) -> String {
        do throws(Expansion.Failure) {
            let path = try expandTilde(path, home: home, homeOf: environment.homeOf)
            return try Expansion(tokens: value, variable: environment.variable)(path)
        } catch {
            throw ConfigurationFault(error.lines.last)
        }
    }

    /// What KnownHostsCommand is asked for.
    public struct HostKeyQuery: Sendable {
        /// `%H`: the name or address looked up.
        public var name: String
        /// `%I`: why: `ADDRESS`, `HOSTNAME` or `ORDER`.
        public var reason: String
        /// `%t`, `%f` and `%K`: the key's type, fingerprint and base64 text; nil for `ORDER`.
        public var key: (type: String, fingerprint: String, base64: String)?

        /// Makes a query.
        /// - Parameters:
        ///   - name: the name or address looked up.
        ///   - reason: `ADDRESS`, `HOSTNAME` or `ORDER`.
        ///   - key: the key, if one was sent.
        public init(
            name: String,
            reason: String,
            key: (type: String, fingerprint: String, base64: String)?
        ) {
            self.name = name
            self.reason = reason
            self.key = key
        }
    }

    /// Splits KnownHostsCommand into its arguments, all but the first expanded; no shell runs it.
    /// - Parameters:
    ///   - command: ``Options/knownHostsCommand``.
    ///   - query: what is looked up.
    ///   - environment: knows variables.
    /// - Returns: the argument vector, nil when the command's quotes are wrong or it is empty.
    /// - Throws: ``ConfigurationFault`` for an unknown token or variable.
    public func knownHostsCommand(
        _ command: String,
        _ query: HostKeyQuery,
        in environment: ConfigEnvironment
    ) throws(ConfigurationFault) -> [String]? {
        let words = splitArguments(LosslessText.bytes(command), endsAtComment: false)
        guard let words, let program = words.first else { return nil }
        let tokens = { (letter: UInt8) -> String? in
            switch letter {
            case UInt8(ascii: "H"): query.name
            case UInt8(ascii: "I"): query.reason
            case UInt8(ascii: "t"): query.key?.type ?? "NONE"
            case UInt8(ascii: "f"): query.key?.fingerprint ?? "NONE"
            case UInt8(ascii: "K"): query.key?.base64 ?? "NONE"
            default: value(letter)
            }
        }
        var vector = [LosslessText.string(program)]
        for word in words.dropFirst() {
            do throws(Expansion.Failure) {
                let expansion = Expansion(tokens: tokens, variable: environment.variable)
                vector.append(try expansion(LosslessText.string(word)))
            } catch {
                throw ConfigurationFault(error.lines.last)
            }
        }
        return vector
    }

    private func percent(
        _ text: String,
        _ tokens: @escaping (UInt8) -> String?
    ) throws(ConfigurationFault) -> String {
        do throws(Expansion.Failure) {
            return try Expansion(tokens: tokens)(text)
        } catch {
            throw ConfigurationFault(error.lines.last)
        }
    }
}
