internal import Posix

/// A private key that a security key (FIDO) holds: what its file says of it, which is of no use
/// without the device.
///
/// Signatures are made by OpenSSH's ssh-sk-helper, which alone loads the library of the device.
public struct SecurityKey: Sendable {
    /// The public half.
    public let publicKey: UserKey
    /// What the user calls it.
    public let comment: String
    /// Whether the device wants to be touched.
    public let needsTouch: Bool
    /// Kind and fields as in the file, up to the comment: what helpers and agents take.
    let fields: [UInt8]

    /// Reads a key file in OpenSSH's own format without a passphrase; nil for other files and keys.
    /// - Parameter text: the file's contents.
    public init?(text: [UInt8]) {
        guard let part = PrivateKeyText(text).privateFields,
            let publicKey = PrivateKeyText(text).publicKey, publicKey.isOnSecurityKey
        else { return nil }
        var reader = WireReader(part)
        var fields = WireWriter()
        // Kind, the curve's name where there is one, the public key, and the application.
        for _ in 0..<(publicKey.plain.kind == .ecdsaSK ? 4 : 3) {
            guard let field = reader.string() else { return nil }
            fields.string(field)
        }
        guard let flags = reader.take(1)?.first, let handle = reader.string(),
            let reserved = reader.string(), let comment = reader.text()
        else { return nil }
        fields.raw([flags])
        fields.string(handle)
        fields.string(reserved)
        self.publicKey = publicKey
        self.comment = comment
        needsTouch = flags & SecurityKey.touchFlag != 0
        self.fields = fields.bytes
    }

    /// The key as an agent takes it, to be sent with ``AgentRequest/KeyConstraint``'s provider.
    /// - Parameter comment: what the user calls it.
    /// - Returns: kind, fields and comment (draft-miller-ssh-agent §4.2).
    public func agentEncoding(comment: String) -> [UInt8] {
        var writer = WireWriter()
        writer.raw(fields)
        writer.string(Array(comment.utf8))
        return writer.bytes
    }

    /// SSH_SK_USER_PRESENCE_REQD (OpenSSH's PROTOCOL.u2f).
    private static let touchFlag: UInt8 = 0x01
}

/// OpenSSH's ssh-sk-helper: one process for one signature.
///
/// ```
/// uint32 length | byte version 5 | uint32 type | (to it: byte log to stderr | uint32 log level)
///               | contents
/// ```
///
/// C: `sshsk_sign` in ssh-sk-client.c.
public struct SecurityKeyHelper: Sendable {
    /// Why there is no signature.
    public enum Failure: Error, Sendable, Equatable {
        /// The device wants a PIN, or another one.
        case wrongPIN
        /// No device that is plugged in has the key.
        case noDevice
        /// Another of OpenSSH's error codes, positive.
        case code(UInt32)
        /// The helper cannot be started, or said nothing that makes sense.
        case helper(String)

        /// OpenSSH's words for it (ssherr.c).
        public var reason: String {
            switch self {
            case .wrongPIN: "incorrect passphrase supplied to decrypt private key"
            case .noDevice: "device not found"
            case .code(4): "invalid format"
            case .code(21): "invalid argument"
            case .code(59): "requested feature not supported"
            case .code: "unknown error"
            case .helper(let reason): reason
            }
        }

        init(code: UInt32) {
            self =
                switch code {
                case 43: .wrongPIN
                case 60: .noDevice
                default: .code(code)
                }
        }
    }

    /// The helper's place on Debian; SSH_SK_HELPER names another.
    public static let defaultPath = "/usr/lib/openssh/ssh-sk-helper"

    /// The program.
    public let path: String
    /// SecurityKeyProvider: `internal`, or the path of a library.
    public let provider: String
    /// As in OpenSSH's log.h; the helper writes to standard error.
    public let logLevel: UInt32

    /// Describes the helper.
    /// - Parameters:
    ///   - path: the program.
    ///   - provider: `internal`, or the path of a library.
    ///   - logLevel: how much it says, 0 to 7.
    public init(path: String, provider: String, logLevel: UInt32) {
        self.path = path
        self.provider = provider
        self.logLevel = logLevel
    }

    /// Has the device sign; waits for the touch.
    /// - Parameters:
    ///   - data: what to sign.
    ///   - key: which key.
    ///   - pin: empty when none is known; the caller wipes it.
    /// - Returns: a signature in SSH's encoding.
    /// - Throws: ``Failure``.
    public func sign(
        _ data: [UInt8],
        with key: SecurityKey,
        pin: [UInt8]
    ) throws(Failure) -> [UInt8] {
        var request = request(data, key, pin)
        defer { wipe(&request) }
        let reply: [UInt8]?
        do throws(SystemError) {
            let pair = try makeSocketPair()
            let child = try start(pair.far)
            reply = answer(to: request, pair.near)
            child.wait()
        } catch {
            throw .helper(error.reason)
        }
        return try SecurityKeyHelper.signature(in: reply).get()
    }

    private func start(_ socket: consuming Descriptor) throws(SystemError) -> Child {
        let stream = ChildStream.descriptor(socket.number)
        return try spawn(Command(path), input: stream, output: stream)
    }

    private func answer(to request: [UInt8], _ socket: consuming Descriptor) -> [UInt8]? {
        guard (try? writeAll(socket.number, request)) != nil else { return nil }
        return readAgentFrame(socket.number)
    }

    func request(_ data: [UInt8], _ key: SecurityKey, _ pin: [UInt8]) -> [UInt8] {
        var body = WireWriter()
        body.raw([SecurityKeyHelper.version])
        body.number(SecurityKeyHelper.signType)
        body.raw([1])
        body.number(logLevel)
        body.string(key.fields)
        body.string(Array(provider.utf8))
        body.string(data)
        // The algorithm goes by the key, and there are no compatibility flags.
        body.string([])
        body.number(0)
        body.string(pin)
        var frame = WireWriter()
        frame.string(body.bytes)
        return frame.bytes
    }

    /// Reads the helper's answer, without the length in front.
    static func signature(in reply: [UInt8]?) -> Result<[UInt8], Failure> {
        var reader = WireReader(reply ?? [])
        guard reader.take(1)?.first == version, let type = reader.number() else {
            return .failure(.helper("no answer"))
        }
        if type == errorType { return .failure(.init(code: reader.number() ?? 0)) }
        guard type == signType, let signature = reader.string(), reader.isAtEnd else {
            return .failure(.helper("invalid format"))
        }
        return .success(Array(signature))
    }

    /// SSH_SK_HELPER_VERSION of OpenSSH 8.9 to 10.
    private static let version: UInt8 = 5
    private static let errorType: UInt32 = 0
    private static let signType: UInt32 = 1
}
