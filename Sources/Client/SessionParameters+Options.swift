internal import Faults
internal import SSH
internal import SSHConfig

extension SessionParameters {
    /// What the configuration says about the transport, narrowed to what libssh can do.
    ///
    /// An empty list would mean libssh's own choice, so there is none where something was asked for.
    /// - Parameters:
    ///   - options: the configuration of the host.
    ///   - peer: the other end, for messages.
    ///   - hostKeyAlgorithms: in the order that prefers keys already known.
    /// - Throws: ``NoUsableAlgorithm`` when nothing of what a keyword allows is left.
    init(
        _ options: Options,
        peer: SSHError.Peer,
        hostKeyAlgorithms: [String]
    ) throws(NoUsableAlgorithm) {
        self.init(peer: peer)
        keyExchanges = try usable(.kex, "KexAlgorithms", options.kexAlgorithms)
        self.hostKeyAlgorithms = try usable(.key, "HostKeyAlgorithms", hostKeyAlgorithms)
        ciphers = try usable(.cipher, "Ciphers", options.ciphers)
        macs = Algorithms.usable(.mac, options.macs)
        if macs.isEmpty {
            // Ciphers that authenticate by themselves have no use for any.
            ciphers.removeAll { !$0.contains("-gcm@") && !$0.hasPrefix("chacha20-") }
            if ciphers.isEmpty { macs = try usable(.mac, "MACs", options.macs) }
        }
        publicKeyAlgorithms = Algorithms.usable(.key, options.pubkeyAcceptedAlgorithms)
        compression = options.compression
        rekeyBytes = UInt64(clamping: options.rekeyLimit.bytes)
        rekeySeconds = UInt32(clamping: options.rekeyLimit.seconds)
        minimumRSABits = Int32(clamping: options.requiredRSASize)
    }
}

private func usable(
    _ kind: Algorithms.Kind,
    _ keyword: String,
    _ names: [String]
) throws(NoUsableAlgorithm) -> [String] {
    let usable = Algorithms.usable(kind, names)
    if usable.isEmpty { throw NoUsableAlgorithm(keyword: keyword, names: names) }
    return usable
}

/// Says that the configuration allows only algorithms that libssh does not have.
struct NoUsableAlgorithm: Fault {
    let keyword: String
    let names: [String]

    var layer: Layer { .transport }
    var summary: String {
        "libssh has none of what \(keyword) allows: \(names.joined(separator: ","))"
    }
    var hint: Hint? { .run("ec2sh -Q \(keyword)") }
}
