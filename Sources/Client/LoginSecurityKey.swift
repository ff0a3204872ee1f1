internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Synchronization
internal import Terminal

extension Login {
    /// Logs in with a key that a security key holds (sshconnect2.c, `identity_sign`).
    /// - Parameters:
    ///   - identity: the key or certificate.
    ///   - key: its public half.
    ///   - path: the key's file.
    /// - Returns: the server's answer; nil when there was nothing to send.
    /// - Throws: the session's fault.
    mutating func trySecurityKey(
        _ identity: LoginIdentity,
        _ key: UserKey,
        _ path: String
    ) throws -> LoginReply? {
        guard let helper = keys.securityKeyHelper, let secret = keys.securityKey(path) else {
            let isEncrypted = keys.securityKeyHelper != nil
            trace.say(
                .info,
                "ec2sh: \(path) "
                    + (isEncrypted
                        ? "has a passphrase, which is opened for security keys by an agent only; "
                            + "use ssh-add" : "needs a SecurityKeyProvider")
            )
            note(identity, .unusable("on a security key and not in an agent"))
            return nil
        }
        guard secret.publicKey.plain == key.plain else {
            trace.say(.error, "private key \(path) contents do not match public")
            return nil
        }
        guard try offer(key) else {
            note(identity, .refused)
            return .refused
        }
        var file = identity
        file.name = path
        let job = SecurityKeyJob(helper, secret)
        var reply = try sign(identity, key, with: job, pin: [])
        if reply == nil, job.failure == .wrongPIN, !options.batchMode {
            let question = "Enter PIN for \(key.plain.shortName) key \(path): "
            var pin = prompter.askForBytes(question) ?? []
            defer { wipe(&pin) }
            reply = try sign(identity, key, with: job, pin: pin)
        }
        guard let reply else {
            sayNotSigned(file, key, ": \(job.failure?.reason ?? "unknown error")")
            return nil
        }
        if reply != .refused {
            addToAgent(path, provider: helper.provider) { secret.agentEncoding(comment: $0) }
        }
        return reply
    }

    /// - Returns: nil when the device gave no signature.
    private mutating func sign(
        _ identity: LoginIdentity,
        _ key: UserKey,
        with job: SecurityKeyJob,
        pin: [UInt8]
    ) throws -> LoginReply? {
        let name = "\(key.plain.shortName) \(key.plain.fingerprint(options.fingerprintHash))"
        let notice =
            job.key.needsTouch
            ? Notice(
                "Confirm user presence for key \(name)",
                keys.environment,
                usesTerminal: !options.batchMode
            ) : nil
        defer { notice?.end(job.failure == nil ? "User presence confirmed" : nil) }
        return try authenticateQuietly(identity, key) { request in
            job.sign(request.data, pin: pin)
        }
    }
}

/// Signing on another thread, and why it failed.
private final class SecurityKeyJob: Sendable {
    let key: SecurityKey
    private let helper: SecurityKeyHelper
    private let problem = Mutex<SecurityKeyHelper.Failure?>(nil)

    init(_ helper: SecurityKeyHelper, _ key: SecurityKey) {
        self.helper = helper
        self.key = key
    }

    /// Why the last try gave no signature.
    var failure: SecurityKeyHelper.Failure? { problem.withLock { $0 } }

    func sign(_ data: [UInt8], pin: [UInt8]) -> [UInt8]? {
        do throws(SecurityKeyHelper.Failure) {
            let signature = try helper.sign(data, with: key, pin: pin)
            problem.withLock { $0 = nil }
            return signature
        } catch {
            problem.withLock { $0 = error }
            return nil
        }
    }
}

extension LoginKeys {
    /// The helper of SecurityKeyProvider; nil when that is a variable that is not set.
    var securityKeyHelper: SecurityKeyHelper? {
        var provider = options.securityKeyProvider
        if let name = provider, name.hasPrefix("$") {
            provider = environment[String(name.dropFirst())]
        }
        guard let provider else { return nil }
        let path = environment["SSH_SK_HELPER"].flatMap { $0.isEmpty ? nil : $0 }
        return SecurityKeyHelper(
            path: path ?? SecurityKeyHelper.defaultPath,
            provider: provider,
            logLevel: UInt32(clamping: trace.level.rawValue)
        )
    }
}
