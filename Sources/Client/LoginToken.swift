internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// PKCS11Provider: the keys of a token, which sign through OpenSSH's helper.
///
/// The keys are listed by `ssh-keygen -D`, which asks for a PIN only when the token shows nobody its
/// keys; the login asks for it once the server has taken one.
final class LoginToken {
    private let provider: String
    private let helperPath: String
    private let isBatch: Bool
    private let prompter: Prompter
    private let trace: Trace
    private var helper: HelperToken?

    /// OpenSSH's words for a token that does not sign.
    static let failure = ": error in libcrypto"
    /// How long a token may take to list its keys, and its user to type a PIN.
    private static let patience = Duration.seconds(120)

    /// - Returns: nil when the configuration names no provider.
    init?(_ options: Options, in context: Context) {
        guard let provider = options.pkcs11Provider, options.pubkeyAuthentication != .no else {
            return nil
        }
        self.provider = provider
        helperPath =
            context.environment["SSH_PKCS11_HELPER"].flatMap { $0.isEmpty ? nil : $0 }
            ?? HelperToken.defaultPath
        isBatch = options.batchMode
        prompter = context.prompter
        trace = context.trace
    }

    /// The token's keys, each by its label.
    func identities() -> [LoginIdentity] {
        var command = Command("ssh-keygen", ["-D", provider])
        if isBatch {
            command.group = .session
            command.environment = .inherited(changes: ["SSH_ASKPASS_REQUIRE": "never"])
        }
        do throws(SystemError) {
            let listed = try runToEnd(command, until: readClock() + LoginToken.patience)
            guard listed.status.isSuccess else { return [] }
            return listed.output.split(separator: UInt8(ascii: "\n")).compactMap { line in
                guard let key = UserKey(publicKeyFile: Array(line)) else { return nil }
                let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
                let label = words.count > 2 ? String(decoding: words[2], as: UTF8.self) : provider
                return LoginIdentity(name: label, key: key, isOnToken: true)
            }
        } catch {
            trace.say(.error, "ec2sh: cannot list the keys of \(provider): \(error.summary)")
            return []
        }
    }

    /// Makes the token ready to sign, asking for its PIN where it has one.
    /// - Parameter key: the plain key.
    /// - Returns: nil when the token does not open.
    func signer(for key: HostKey) -> Signer? {
        guard let helper = helper ?? opened() else { return nil }
        self.helper = helper
        return helper.signer(for: key)
    }

    private func opened() -> HelperToken? {
        if let helper = opened(pin: []) { return helper }
        if isBatch {
            trace.say(.error, "pin required")
            return nil
        }
        guard var pin = prompter.askForBytes("Enter PIN for '\(provider)': ") else { return nil }
        defer { wipe(&pin) }
        let helper = opened(pin: pin)
        if helper == nil { trace.say(.error, "PKCS#11 login failed: PIN incorrect") }
        return helper
    }

    /// A helper that was refused once does not begin anew, so each try has its own.
    private func opened(pin: [UInt8]) -> HelperToken? {
        do throws(SystemError) {
            let helper = try HelperToken(path: helperPath)
            return helper.load(provider, pin: pin) == nil ? nil : helper
        } catch {
            trace.say(.error, "exec: \(helperPath): \(error.reason)")
            return nil
        }
    }
}

extension Login {
    /// Logs in with a key of the token.
    mutating func tryToken(_ identity: LoginIdentity, _ key: UserKey) throws -> LoginReply? {
        guard try offer(key) else {
            note(identity, .refused)
            return .refused
        }
        guard let sign = keys.token?.signer(for: key.plain) else {
            sayNotSigned(identity, key, LoginToken.failure)
            return nil
        }
        return try authenticate(identity, key, reason: { LoginToken.failure }, sign: sign)
    }
}
