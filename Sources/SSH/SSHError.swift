public import Faults

/// Says how a connection, a login step or a channel failed.
public enum SSHError: Fault, Equatable {
    /// The other end closed the connection before it sent an SSH identification line.
    case closedBeforeBanner(Peer)
    /// The other end is not an SSH server; what it sent first, made printable.
    case notSSH(Peer, seen: String)
    /// The other end speaks a protocol before 2.0; its major version.
    case oldProtocol(Peer, version: Int)
    /// The other end closed the connection.
    case closed(Peer)
    /// Reading or writing the connection failed; the C library's words for the reason.
    case broken(Peer, reason: String)
    /// The server ended the connection with a message (SSH_MSG_DISCONNECT).
    case disconnected(Peer, code: UInt32, text: String)
    /// No algorithm of a kind is known to both sides.
    case noCommonAlgorithm(Peer, AlgorithmKind, offer: String)
    /// A packet came with a wrong authentication code.
    case corruptedPacket(Peer)
    /// A packet came with an impossible length.
    case badPacketLength(Peer, UInt32)
    /// The key exchange or a packet broke the protocol; libssh's words.
    case protocolViolation(Peer, text: String)
    /// The server refused to open a channel (RFC 4254 §5.1).
    case openRefused(code: UInt32, text: String)
    /// The server will not listen on a port for us (RFC 4254 §7.1).
    case listenRefused
    /// What was asked of a channel or session is not possible in its state; libssh's words.
    case refused(String)
    /// A private key, public key or certificate could not be used.
    case unusableKey(String)
    /// The server is OpenSSH 7.4, and this RSA key can only be signed with as it may not be.
    case unsignableRSA
    /// The server takes the key, but nobody signed with it.
    case notSigned

    /// The connection's other end, as OpenSSH names it in its messages.
    public struct Peer: Sendable, Equatable {
        /// The name the user gave, for messages about a session.
        public let host: String
        /// `ADDRESS port NUMBER`, or `UNKNOWN port 65535` behind a proxy command.
        public let address: String
        /// Whether the login had succeeded when the error came.
        public var isLoggedIn = false
        /// Whether the server had said who it is when the error came.
        public var hasIdentified = true

        /// Names the other end.
        /// - Parameters:
        ///   - host: the name the user gave.
        ///   - address: `ADDRESS port NUMBER`.
        public init(host: String, address: String) {
            self.host = host
            self.address = address
        }
    }

    /// What a key exchange agrees on, in the words of OpenSSH's ssherr.c.
    public enum AlgorithmKind: String, Sendable {
        /// KexAlgorithms
        case keyExchange = "key exchange method"
        /// HostKeyAlgorithms
        case hostKey = "host key type"
        /// Ciphers
        case cipher = "cipher"
        /// MACs
        case mac = "MAC"
        /// Compression
        case compression = "compression method"
    }

    /// The step of the path that failed.
    public var layer: Layer {
        switch self {
        case .closed(let peer), .broken(let peer, _), .disconnected(let peer, _, _),
            .corruptedPacket(let peer), .badPacketLength(let peer, _):
            peer.isLoggedIn ? .link : .transport
        case .closedBeforeBanner, .notSSH, .oldProtocol, .noCommonAlgorithm, .protocolViolation:
            .transport
        case .openRefused, .listenRefused, .refused: .channel
        case .unusableKey, .unsignableRSA, .notSigned: .identity
        }
    }

    /// What was seen, on one line.
    public var summary: String {
        switch self {
        case .closedBeforeBanner(let peer):
            "connection closed by \(peer.address) before it said anything in SSH"
        case .notSSH(let peer, let seen): "\(peer.address) is not an SSH server, it sent: \(seen)"
        case .oldProtocol(let peer, let version):
            "\(peer.address) speaks SSH of version \(version) only"
        case .closed(let peer): "connection closed by \(peer.address)"
        case .broken(let peer, let reason): "connection to \(peer.address) broke: \(reason)"
        case .disconnected(let peer, let code, let text):
            "\(peer.address) ended the connection: \(code): \(text)"
        case .noCommonAlgorithm(let peer, let kind, let offer):
            "no \(kind.rawValue) in common with \(peer.address), which offers \(offer)"
        case .corruptedPacket: "a packet was corrupted on its way"
        case .badPacketLength(_, let length): "a packet of impossible length \(length) came"
        case .protocolViolation(let peer, let text): "talking SSH with \(peer.address): \(text)"
        case .openRefused(let code, let text): "the server refused a channel: \(code): \(text)"
        case .listenRefused: "the server will not listen on a port for us"
        case .refused(let text), .unusableKey(let text): text
        case .unsignableRSA:
            "an RSA key in OpenSSH's format with a passphrase cannot log in to OpenSSH 7.4"
        case .notSigned: "the agent refused to sign"
        }
    }

    /// What the user can do.
    public var hint: Hint? {
        switch self {
        case .unsignableRSA:
            .advice("add the key to an agent with ssh-add, or convert it with ssh-keygen -p -m PEM")
        default: nil
        }
    }

    /// The lines OpenSSH prints in this case (packet.c, kex.c, clientloop.c).
    public var words: [String]? {
        switch self {
        case .closedBeforeBanner(let peer):
            [
                "kex_exchange_identification: Connection closed by remote host",
                "Connection closed by \(peer.address)",
            ]
        case .oldProtocol(_, let version): ["Protocol major versions differ: 2 vs. \(version)"]
        case .closed(let peer) where peer.isLoggedIn:
            ["Connection to \(peer.host) closed by remote host."]
        case .closed(let peer): ["Connection closed by \(peer.address)"]
        case .broken(let peer, let reason) where peer.isLoggedIn:
            ["Read from remote host \(peer.host): \(reason)"]
        case .broken(let peer, let reason) where reason == SSHError.reset:
            (peer.hasIdentified ? [] : ["kex_exchange_identification: read: \(reason)"])
                + ["Connection reset by \(peer.address)"]
        case .broken(let peer, let reason): ["Connection to \(peer.address): \(reason)"]
        case .disconnected(let peer, let code, let text):
            [
                "Received disconnect from \(peer.address):\(code): \(text)",
                "Disconnected from \(peer.address)",
            ]
        case .noCommonAlgorithm(let peer, let kind, let offer):
            [
                "Unable to negotiate with \(peer.address): no matching \(kind.rawValue) found. "
                    + "Their offer: \(offer)"
            ]
        case .corruptedPacket(let peer):
            [
                "Corrupted MAC on input.",
                "ssh_dispatch_run_fatal: Connection to \(peer.address): "
                    + "message authentication code incorrect",
            ]
        case .badPacketLength(let peer, let length):
            [
                "Bad packet length \(length).",
                "ssh_dispatch_run_fatal: Connection to \(peer.address): message too long",
            ]
        case .notSSH, .protocolViolation, .openRefused, .listenRefused, .refused, .unusableKey,
            .unsignableRSA, .notSigned:
            nil
        }
    }

    /// The C library's words for ECONNRESET, which OpenSSH words differently from other reasons.
    static let reset = "Connection reset by peer"
}
