internal import Posix

/// One connection after the other, as agents before 3.0.196 carry them.
///
/// The agent tells nobody when its server closes a connection, and connects anew with the next
/// bytes.
struct PortTurns {
    /// Bytes of a server that speaks first, kept for the first client.
    private static let mostEarly = 1 << 20
    /// From the agent's word that it has closed until nothing of that connection can come any more.
    private static let pause = Duration.milliseconds(300)

    private var current: PortEnd?
    private var early: [UInt8] = []
    /// When the next client has its turn.
    private var next: Instant?
    private var hadOne = false

    var deadline: Instant? { earliest(current?.closeTime, next) }

    /// Sends what the client has whose turn it is; `first` is the one that has waited longest.
    /// - Returns: a client whose turn is over.
    mutating func supply(_ first: PortEnd?, _ tunnel: SessionTunnel, _ now: Instant) -> PortEnd? {
        if let end = current {
            while end.hasBytes, tunnel.room > 0 { _ = tunnel.send(end.take(tunnel.room)) }
            if tunnel.room > 0 { end.read() }
            guard let due = end.closeTime, now >= due, tunnel.isIdle else { return nil }
            current = nil
            tunnel.disconnect()
            next = now + PortTurns.pause
            return end
        }
        if let next, now < next || !tunnel.isIdle { return nil }
        next = nil
        guard let first else { return nil }
        current = first
        if !hadOne { first.deliver(early) }
        hadOne = true
        early = []
        first.flush()
        first.read()
        return nil
    }

    /// Takes bytes of the server's.
    /// - Returns: the client that has got them.
    mutating func deliver(_ bytes: [UInt8]) -> PortEnd? {
        current?.deliver(bytes)
        if current == nil, !hadOne, early.count + bytes.count <= PortTurns.mostEarly {
            early += bytes
        }
        return current
    }
}
