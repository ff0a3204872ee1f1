public import Posix

/// A connection to an ssh-agent; every call waits, so calls are made beside the loop.
///
/// Used by one thread at a time, the one of a ``Posix/Helper``.
public final class Agent: Sendable {
    private let socket: Descriptor

    /// Connects to an agent's socket.
    /// - Parameter path: the socket's path (SSH_AUTH_SOCK).
    /// - Throws: ``SystemError``; ENAMETOOLONG when it cannot be the path of a socket.
    public init(path: String) throws(SystemError) {
        guard let address = SocketAddress(path: path) else {
            throw .socketPathTooLong(path)
        }
        let socket = try makeStreamSocket(.local)
        if case .again = try beginConnecting(socket.number, to: address) {
            try waitFor(socket.number, .write, until: nil)
            try finishConnecting(socket.number)
        }
        try setNonBlocking(socket.number, false)
        self.socket = socket
    }

    /// Takes a connection to somebody who speaks as an agent does.
    init(_ socket: consuming Descriptor) { self.socket = socket }

    /// Asks the agent something and waits for its answer.
    /// - Returns: the answer; nil when the agent is gone or answers nonsense.
    public func ask(_ request: AgentRequest) -> AgentReply? {
        guard (try? writeAll(socket.number, request.frame)) != nil,
            let body = readAgentFrame(socket.number)
        else { return nil }
        return AgentReply(body: body)
    }

    /// The keys it has.
    /// - Returns: none when it is gone, locked or empty.
    public func identities() -> [AgentIdentity] {
        guard case .identities(let identities) = ask(.identities) else { return [] }
        return identities
    }

    /// Signs for a login with one of its keys, with the hash the login was announced with.
    /// - Parameters:
    ///   - request: what to sign.
    ///   - blob: the key or certificate as the agent has it.
    /// - Returns: nil when the agent is gone or its user refuses.
    public func sign(_ request: SignatureRequest, with blob: [UInt8]) -> [UInt8]? {
        let flags: AgentRequest.SignatureFlags =
            if request.algorithm.hasPrefix("rsa-sha2-512") {
                .rsaSHA512
            } else if request.algorithm.hasPrefix("rsa-sha2-256") {
                .rsaSHA256
            } else {
                []
            }
        let reply = ask(.sign(blob: blob, data: request.data, flags: flags))
        guard case .signature(let signature) = reply else { return nil }
        return signature
    }
}

/// Reads one message, waiting for it.
/// - Returns: type and contents; nil at the end, and when the length is impossible.
func readAgentFrame(_ number: Int32) -> [UInt8]? {
    guard let length = readExactly(number, 4) else { return nil }
    var reader = WireReader(length)
    guard let count = reader.number(), count > 0, count <= AgentReply.longest else { return nil }
    return readExactly(number, Int(count))
}

private func readExactly(_ number: Int32, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            return unsafe try? read(number, into: rest)
        }
        guard case .done(let read)? = result, read > 0 else { return nil }
        filled += read
    }
    return bytes
}
