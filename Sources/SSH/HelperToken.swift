internal import Crypto
public import Posix

/// The keys of a PKCS#11 token, reached through OpenSSH's ssh-pkcs11-helper, which alone loads the
/// token's library.
///
/// It speaks as an agent does, but signs what it is given as it is: the hash is ours to make, and
/// the signature ours to put into SSH's encoding.
///
/// C: `pkcs11_add_provider`, `rsa_encrypt`, `ecdsa_do_sign` in ssh-pkcs11-client.c.
public final class HelperToken {
    /// The helper's place on Debian; SSH_PKCS11_HELPER names another.
    public static let defaultPath = "/usr/lib/openssh/ssh-pkcs11-helper"

    /// A connection to the helper; nil once it is ended.
    private var helper: Agent?
    private let child: Child

    /// Starts the helper.
    /// - Parameter path: the program.
    /// - Throws: ``SystemError`` when it cannot be started.
    public init(path: String) throws(SystemError) {
        let pair = try makeSocketPair()
        child = try HelperToken.start(path, pair.far)
        helper = Agent(try pair.near.duplicate())
    }

    deinit {
        // Without us on the other end it goes.
        helper = nil
        if child.wait(until: readClock() + .seconds(1)) == nil { child.send(.kill) }
    }

    /// Has the helper load a library and read its tokens.
    /// - Parameters:
    ///   - provider: the library's path.
    ///   - pin: empty for tokens that ask for none, or have keys of their own to type it on.
    /// - Returns: the keys; nil when there are none that can be used.
    public func load(_ provider: String, pin: [UInt8]) -> [AgentIdentity]? {
        guard case .identities(let keys) = helper?.ask(.addToken(provider: provider, pin: pin))
        else { return nil }
        return keys
    }

    /// Signs with one of the loaded keys.
    /// - Parameter key: a plain key.
    /// - Returns: signs on any thread, one call at a time.
    public func signer(for key: HostKey) -> Signer {
        { [helper] request in
            guard let helper, let plan = TokenSignature(key, request.algorithm) else { return nil }
            let data = plan.input(request.data)
            guard
                case .signature(let raw) = helper.ask(.sign(blob: key.blob, data: data, flags: []))
            else { return nil }
            return plan.signature(raw)
        }
    }

    private static func start(
        _ path: String,
        _ socket: borrowing Descriptor
    ) throws(SystemError) -> Child {
        let stream = ChildStream.descriptor(socket.number)
        return try spawn(Command(path), input: stream, output: stream)
    }
}

/// How data becomes a signature where a token does only the arithmetic.
struct TokenSignature {
    private enum Hash {
        case sha1
        case sha256
        case sha384
        case sha512
    }

    /// The name in the signature.
    private let name: String
    private let hash: Hash
    /// The length of an RSA signature; nil for ECDSA.
    private let modulusLength: Int?

    /// - Parameters:
    ///   - key: RSA or ECDSA; there are no others on tokens that the helper knows.
    ///   - algorithm: as the login announces it, also one of a certificate.
    init?(_ key: HostKey, _ algorithm: String) {
        switch key.kind {
        case .rsa:
            modulusLength = (key.bits + 7) / 8
            if algorithm.hasPrefix("rsa-sha2-512") {
                (name, hash) = ("rsa-sha2-512", .sha512)
            } else if algorithm.hasPrefix("rsa-sha2-256") {
                (name, hash) = ("rsa-sha2-256", .sha256)
            } else {
                (name, hash) = ("ssh-rsa", .sha1)
            }
        case .ecdsa(let curve):
            modulusLength = nil
            name = key.algorithm
            hash =
                switch curve {
                case .p256: .sha256
                case .p384: .sha384
                case .p521: .sha512
                }
        default: return nil
        }
    }

    /// What the token is to sign: a hash, for RSA with its name before it (RFC 8017 §9.2).
    func input(_ data: [UInt8]) -> [UInt8] {
        let (digest, prefix): ([UInt8], [UInt8]) =
            switch hash {
            case .sha1: (Array(Insecure.SHA1.hash(data: data)), TokenSignature.sha1Prefix)
            case .sha256: (Array(SHA256.hash(data: data)), TokenSignature.prefix(1, length: 32))
            case .sha384: (Array(SHA384.hash(data: data)), TokenSignature.prefix(2, length: 48))
            case .sha512: (Array(SHA512.hash(data: data)), TokenSignature.prefix(3, length: 64))
            }
        return modulusLength == nil ? digest : prefix + digest
    }

    /// Puts what the token gave into SSH's encoding (RFC 4253 §6.6, RFC 5656 §3.1.2).
    func signature(_ raw: [UInt8]) -> [UInt8]? {
        var writer = WireWriter()
        writer.string(Array(name.utf8))
        if let length = modulusLength {
            guard raw.count <= length else { return nil }
            writer.string([UInt8](repeating: 0, count: length - raw.count) + raw)
        } else {
            var rest = raw[...]
            guard var pair = DERKey.element(DERKey.sequence, &rest),
                let first = DERKey.element(DERKey.integer, &pair),
                let second = DERKey.element(DERKey.integer, &pair)
            else { return nil }
            var numbers = WireWriter()
            numbers.integer(first)
            numbers.integer(second)
            writer.string(numbers.bytes)
        }
        return writer.bytes
    }

    /// `SEQUENCE { SEQUENCE { OBJECT, NULL }, OCTET STRING }` up to the hash.
    private static func prefix(_ sha2: UInt8, length: UInt8) -> [UInt8] {
        [
            0x30, 17 + length, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
            0x02, sha2, 0x05, 0x00, 0x04, length,
        ]
    }
    private static let sha1Prefix: [UInt8] = [
        0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
    ]
}
