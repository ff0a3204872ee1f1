internal import Posix

/// What is to be signed for a login (RFC 4252 §7).
///
/// ```
/// string session id | byte 50 | string user | string service | string "publickey" | bool 1
///                   | string algorithm | string key
/// ```
public struct SignatureRequest: Sendable, Equatable {
    /// All of it, as it is to be signed.
    public let data: [UInt8]
    /// The signature algorithm to use, such as `rsa-sha2-512`.
    public let algorithm: String

    /// Reads what libssh gives an agent to sign.
    /// - Parameters:
    ///   - data: the data.
    ///   - rsa: the algorithm to sign with where `ssh-rsa` was announced; nil for that itself.
    init?(data: [UInt8], rsa: String? = nil) {
        var reader = WireReader(data)
        guard reader.string() != nil, reader.take(1)?.first == 50, reader.string() != nil,
            reader.string() != nil, reader.text() == "publickey", reader.take(1) != nil,
            let algorithm = reader.text()
        else { return nil }
        self.data = data
        self.algorithm = algorithm == "ssh-rsa" ? rsa ?? algorithm : algorithm
    }
}

/// Signs by whatever means, an agent, a token or a key in memory; nil when it cannot.
public typealias Signer = @Sendable (SignatureRequest) -> [UInt8]?

/// The agent libssh talks to: it has one key, and signs as it is told.
///
/// libssh walks through all keys of an agent in its own order, and cannot take a signature from
/// anybody but an agent. So it is given the end of a socket pair, with us at the other. It waits for
/// each answer, so the answers come from a thread.
final class OurAgent {
    /// libssh's end; libssh closes it with the session.
    let librarysEnd: Int32
    private let ourEnd: End
    private var helper: Helper<Void>?

    init() throws(SystemError) {
        let pair = try makeSocketPair()
        ourEnd = End(try pair.near.duplicate())
        librarysEnd = try pair.far.duplicate().release()
    }

    /// Begins to answer.
    /// - Parameters:
    ///   - identity: the one key.
    ///   - rsa: the algorithm to sign with where `ssh-rsa` was announced; nil for that itself.
    ///   - sign: signs with it, on the thread.
    /// - Throws: ``SystemError`` when there is no thread left.
    func begin(
        _ identity: AgentIdentity,
        rsa: String?,
        _ sign: @escaping Signer
    ) throws(SystemError) {
        let end = ourEnd
        helper = try Helper { end.serve(identity, rsa, sign) }
    }

    /// Stops answering; what is being signed is waited for.
    func stop() {
        guard let helper else { return }
        try? writeAll(librarysEnd, End.stop)
        while helper.take() == nil {
            guard (try? waitFor(helper.number, .read, until: nil)) != nil else { break }
        }
        self.helper = nil
    }

    /// Our end of the pair, which lives as long as the thread that reads it.
    private final class End: Sendable {
        let descriptor: Descriptor

        /// A message of a type agents do not have.
        static let stop: [UInt8] = [0, 0, 0, 1, 255]

        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

        func serve(_ identity: AgentIdentity, _ rsa: String?, _ sign: Signer) {
            while let body = readAgentFrame(descriptor.number), body != End.stop.suffix(1) {
                let reply = answer(AgentRequest(body: body), identity, rsa, sign)
                guard (try? writeAll(descriptor.number, reply.frame)) != nil else { return }
            }
        }

        private func answer(
            _ request: AgentRequest?,
            _ identity: AgentIdentity,
            _ rsa: String?,
            _ sign: Signer
        ) -> AgentReply {
            switch request {
            case .identities: return .identities([identity])
            case .sign(_, let data, _):
                guard let request = SignatureRequest(data: data, rsa: rsa),
                    let signature = sign(request)
                else { return .failure }
                return .signature(signature)
            case .add, .addToken, nil: return .failure
            }
        }
    }
}
