/// What is said to an agent (draft-miller-ssh-agent §4).
public enum AgentRequest: Sendable, Equatable {
    /// Which keys it has.
    case identities
    /// To sign data with a key it has.
    case sign(blob: [UInt8], data: [UInt8], flags: SignatureFlags)
    /// To take a key, in the encoding of §4.2 from the key's type to its comment.
    case add(key: [UInt8], constraints: [KeyConstraint])
    /// To take the keys of a PKCS#11 token: its library, and a PIN that may be empty (§4.2.5).
    case addToken(provider: String, pin: [UInt8])

    /// Which hash an RSA signature has (§7.3).
    public struct SignatureFlags: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt32
        /// Wraps the bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// SHA-256 for RSA.
        public static let rsaSHA256 = SignatureFlags(rawValue: 2)
        /// SHA-512 for RSA.
        public static let rsaSHA512 = SignatureFlags(rawValue: 4)
    }

    /// How an agent may use a key it is given (§4.2.6).
    public enum KeyConstraint: Sendable, Equatable {
        /// For so many seconds.
        case lifetime(UInt32)
        /// After asking the user each time.
        case confirm
        /// The library that reaches a security key (OpenSSH's PROTOCOL.agent).
        case securityKeyProvider(String)
    }

    /// Puts the request into its frame: length, type, contents.
    public var frame: [UInt8] {
        var body = WireWriter()
        switch self {
        case .identities: body.raw([11])
        case .sign(let blob, let data, let flags):
            body.raw([13])
            body.string(blob)
            body.string(data)
            body.number(flags.rawValue)
        case .add(let key, let constraints):
            body.raw([constraints.isEmpty ? 17 : 25])
            body.raw(key)
            for constraint in constraints {
                switch constraint {
                case .lifetime(let seconds):
                    body.raw([1])
                    body.number(seconds)
                case .confirm: body.raw([2])
                case .securityKeyProvider(let provider):
                    body.raw([255])
                    body.string(Array("sk-provider@openssh.com".utf8))
                    body.string(Array(provider.utf8))
                }
            }
        case .addToken(let provider, let pin):
            body.raw([20])
            body.string(Array(provider.utf8))
            body.string(pin)
        }
        return agentFrame(body.bytes)
    }

    /// Reads a request's contents, without the length in front; nil when it is none of these.
    /// - Parameter body: type and contents.
    init?(body: [UInt8]) {
        var reader = WireReader(body.dropFirst())
        switch body.first {
        case 11 where reader.isAtEnd: self = .identities
        case 13:
            guard let blob = reader.string(), let data = reader.string(),
                let flags = reader.number()
            else { return nil }
            self = .sign(
                blob: Array(blob),
                data: Array(data),
                flags: SignatureFlags(rawValue: flags)
            )
        default: return nil
        }
    }
}

/// What an agent answers (draft-miller-ssh-agent §4).
public enum AgentReply: Sendable, Equatable {
    /// It did not do it.
    case failure
    /// It did it.
    case success
    /// Its keys.
    case identities([AgentIdentity])
    /// A signature in SSH's encoding (RFC 4253 §6.6).
    case signature([UInt8])

    /// No answer is longer (OpenSSH's MAX_AGENT_REPLY_LEN).
    static let longest = 256 * 1024

    /// Reads an answer's contents, without the length in front; nil when it is none.
    /// - Parameter body: type and contents.
    init?(body: [UInt8]) {
        var reader = WireReader(body.dropFirst())
        switch body.first {
        // The old codes of SSH2_AGENT_FAILURE and SSH_COM_AGENT2_FAILURE.
        case 5, 30, 102: self = .failure
        case 6: self = .success
        case 12:
            guard let count = reader.number() else { return nil }
            var identities: [AgentIdentity] = []
            for _ in 0..<count {
                guard let blob = reader.string(), let comment = reader.text() else { return nil }
                identities.append(AgentIdentity(blob: Array(blob), comment: comment))
            }
            self = .identities(identities)
        case 14:
            guard let signature = reader.string() else { return nil }
            self = .signature(Array(signature))
        default: return nil
        }
    }

    /// Puts the answer into its frame: length, type, contents.
    var frame: [UInt8] {
        var body = WireWriter()
        switch self {
        case .failure: body.raw([5])
        case .success: body.raw([6])
        case .identities(let identities):
            body.raw([12])
            body.number(UInt32(identities.count))
            for identity in identities {
                body.string(identity.blob)
                body.string(Array(identity.comment.utf8))
            }
        case .signature(let signature):
            body.raw([14])
            body.string(signature)
        }
        return agentFrame(body.bytes)
    }
}

/// A key an agent has.
public struct AgentIdentity: Sendable, Equatable {
    /// The key or certificate in SSH's encoding.
    public let blob: [UInt8]
    /// What the user calls it.
    public let comment: String
}

private func agentFrame(_ body: [UInt8]) -> [UInt8] {
    var frame = WireWriter()
    frame.string(body)
    return frame.bytes
}
