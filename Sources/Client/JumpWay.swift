internal import Faults
internal import Posix
internal import SSH

/// A way through another server: a channel to the target's port, on a connection of our own to the
/// jump host, joined to a socket pair (ProxyJump, ssh_config(5)).
///
/// The far end of the pair is the descriptor the target's session runs on; both sessions live in
/// the one loop, so a jump needs no process and no thread.
final class JumpWay: Carrier {
    private let connection: Connection
    private let channel: any Channel
    private let relay: Relay
    private let poller: Poller

    /// Opens the channel and joins it.
    /// - Parameters:
    ///   - connection: a logged-in connection to the jump host, which is the way's own from now on.
    ///   - host: the target as the jump host sees it.
    ///   - port: its port.
    ///   - poller: the loop that both sessions live in.
    ///   - trace: the run's trace.
    /// - Returns: the way, and the descriptor that leads to the target.
    /// - Throws: ``SSHError`` when the jump host refuses the channel; ``SystemError``.
    static func open(
        over connection: Connection,
        to host: String,
        port: UInt16,
        in poller: Poller,
        trace: Trace
    ) throws -> Reached {
        let channel = connection.session.openDirectTCP(host: host, port: port)
        _ = try poller.wait { try channel.open() }
        let pair = try makeSocketPair()
        let end = try SocketEnd(try pair.near.duplicate())
        let way = JumpWay(
            connection: connection,
            channel: channel,
            relay: Relay(
                channel: channel,
                input: end,
                output: end,
                errorOutput: nil,
                escapes: nil,
                trace: trace
            ),
            poller: poller
        )
        return Reached(descriptor: try pair.far.duplicate(), address: nil, carrier: way)
    }

    private init(connection: Connection, channel: any Channel, relay: Relay, poller: Poller) {
        self.connection = connection
        self.channel = channel
        self.relay = relay
        self.poller = poller
        poller.add(relay)
    }

    func close() {
        poller.remove(relay)
        connection.close()
    }
}
