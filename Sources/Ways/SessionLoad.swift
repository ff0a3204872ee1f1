internal import Posix

/// What a session's bytes come from and go to on this side; all of it is called on the loop.
protocol SessionLoad: AnyObject {
    /// Whom it belongs to.
    var tunnel: SessionTunnel? { get set }
    /// Whether it takes bytes now; ``SessionTunnel/loadHasRoom()`` says when it does again.
    var hasRoom: Bool { get }
    /// When it wants to be asked for bytes even if nothing happens.
    var deadline: Instant? { get }

    /// The agent is there.
    func opened(agentVersion: String)
    /// Takes bytes of the instance's, of which ``flush()`` says that no more are there now.
    func deliver(_ bytes: [UInt8])
    /// The agent could not connect for one of the connections.
    func refused()
    /// Hands on what was taken.
    func flush()
    /// Gives the tunnel what it has, as far as there is room, and asks for more.
    func supply(_ now: Instant)
    /// Takes an order.
    func obey(_ order: TunnelOrder)
    /// Gives everything up; nothing of the session follows.
    func close()
}
