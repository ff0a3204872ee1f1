/// What a session is told before it begins: names for messages, algorithms and limits.
public struct SessionParameters: Sendable {
    /// The other end, for messages.
    public var peer: SSHError.Peer
    /// KexAlgorithms in order of preference; empty for libssh's own list.
    public var keyExchanges: [String] = []
    /// HostKeyAlgorithms in order of preference; empty for libssh's own list.
    public var hostKeyAlgorithms: [String] = []
    /// Ciphers in order of preference, both directions; empty for libssh's own list.
    public var ciphers: [String] = []
    /// MACs in order of preference, both directions; empty for libssh's own list.
    public var macs: [String] = []
    /// PubkeyAcceptedAlgorithms; empty for libssh's own list.
    public var publicKeyAlgorithms: [String] = []
    /// Whether to offer compression before none.
    public var compression = false
    /// RekeyLimit in bytes; 0 for what the cipher demands.
    public var rekeyBytes: UInt64 = 0
    /// RekeyLimit in seconds; 0 for none.
    public var rekeySeconds: UInt32 = 0
    /// RequiredRSASize in bits; libssh accepts none below 768.
    public var minimumRSABits: Int32 = 1024

    /// Makes parameters with libssh's own algorithms.
    /// - Parameter peer: the other end, for messages.
    public init(peer: SSHError.Peer) { self.peer = peer }
}
