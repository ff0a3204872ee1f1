internal import Posix

/// Where a way in has ended: a connected descriptor that carries raw SSH bytes.
struct Reached: ~Copyable {
    /// The descriptor, for the session or for a proxy.
    let descriptor: Descriptor
    /// The address that answered; nil when something between carries the bytes.
    let address: SocketAddress?
    /// What has to live as long as the descriptor is used.
    let carrier: any Carrier

    /// Hands the descriptor over; who keeps the rest has taken it before.
    consuming func takeDescriptor() -> Descriptor { descriptor }

    /// The server's side in OpenSSH's messages.
    borrowing func peerName() -> String {
        guard let address else { return "UNKNOWN port 65535" }
        return "\(address.host) port \(address.port)"
    }
}
