internal import SSH
internal import SSHConfig

extension SessionParameters {
    /// What the configuration says about the transport, narrowed to what libssh can do.
    /// - Parameters:
    ///   - options: the configuration of the host.
    ///   - peer: the other end, for messages.
    ///   - hostKeyAlgorithms: in the order that prefers keys already known.
    init(_ options: Options, peer: SSHError.Peer, hostKeyAlgorithms: [String]) {
        self.init(peer: peer)
        keyExchanges = Algorithms.usable(.kex, options.kexAlgorithms)
        self.hostKeyAlgorithms = Algorithms.usable(.key, hostKeyAlgorithms)
        ciphers = Algorithms.usable(.cipher, options.ciphers)
        macs = Algorithms.usable(.mac, options.macs)
        publicKeyAlgorithms = Algorithms.usable(.key, options.pubkeyAcceptedAlgorithms)
        compression = options.compression
        rekeyBytes = UInt64(clamping: options.rekeyLimit.bytes)
        rekeySeconds = UInt32(clamping: options.rekeyLimit.seconds)
        minimumRSABits = Int32(clamping: options.requiredRSASize)
    }
}
