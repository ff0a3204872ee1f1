internal import Faults
internal import Posix
internal import SSH

/// A logged-in SSH connection, with whatever carries it kept alive.
final class Connection {
    /// The session; it lives in the loop until ``close()``.
    let session: Session
    /// The server's side as messages name it.
    let peer: SSHError.Peer
    /// Who the server has proven to be; nil until it has.
    var server: VerifiedServer?

    /// What must not be done on this connection.
    var restrictions: HostKeyPolicy.Exposed { server?.restrictions ?? [] }

    private let poller: Poller
    /// The way's own objects: the relay of a jump, the child of a proxy command.
    private let carrier: any Carrier

    init(session: Session, peer: SSHError.Peer, carrier: any Carrier, poller: Poller) {
        self.session = session
        self.peer = peer
        self.carrier = carrier
        self.poller = poller
    }

    /// Says goodbye and gives everything back.
    func close() {
        session.disconnect()
        poller.remove(session)
        carrier.close()
    }
}

/// A server's host key, and how far it is trusted.
struct VerifiedServer {
    let key: HostKey
    /// What must not be done on the connection, as the key could not be trusted.
    let restrictions: HostKeyPolicy.Exposed
}

/// What a way in has to keep alive as long as its descriptor is used.
protocol Carrier: AnyObject {
    /// Gives it back; the descriptor is not used any more.
    func close()
}
