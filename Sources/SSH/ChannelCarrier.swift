public import Posix

/// What a login gives: channels, and requests to the connection as a whole (RFC 4254).
///
/// It is a ``Session`` of our own, or a place in a connection that another process has.
public protocol ChannelCarrier: Source {
    /// Why the connection ended; nil as long as it lives.
    var failure: SSHError? { get }
    /// Who takes the channels that the server opens.
    var serverChannels: ServerChannels { get set }

    /// Makes a channel for a shell, command or subsystem; it is not open yet.
    func openSession() -> any Channel
    /// Makes a channel to a TCP port as the server sees it; it is not open yet.
    /// - Parameters:
    ///   - host: a name or address the server resolves.
    ///   - port: 1 to 65535.
    ///   - originHost: where the connection comes from, for the server's log.
    ///   - originPort: the port it comes from.
    /// - Returns: the channel.
    func openDirectTCP(
        host: String,
        port: UInt16,
        originHost: String,
        originPort: UInt16
    ) -> any Channel
    /// Makes a channel to a Unix socket as the server sees it; it is not open yet.
    func openDirectUnix(path: String) -> any Channel
    /// Makes a channel for a connection that came to a port of this side; it is not open yet.
    ///
    /// Where the connection is kept up, what is forwarded may go on when it breaks.
    /// - Parameters:
    ///   - target: where to.
    ///   - origin: where the connection comes from.
    /// - Returns: the channel.
    func openForward(to target: ForwardTarget, from origin: ForwardOrigin) -> any Channel
    /// No session will be asked for: the connection is there for what it forwards.
    func prepareForwards()

    /// Asks the server to listen on a port for us (RFC 4254 §7.1).
    ///
    /// Connections then come as ``ServerChannels/onForwardedTCP``. Called again with the same
    /// arguments until it is done; several requests may be under way.
    /// - Parameters:
    ///   - host: the address to bind on the server: empty, `*`, `localhost` or an address.
    ///   - port: the port, 0 to let the server choose.
    /// - Returns: the port the server listens on.
    /// - Throws: ``SSHError/listenRefused`` when the server will not; the connection's failure.
    func listen(host: String, port: UInt16) throws(SSHError) -> Attempt<UInt16>
    /// Sends what ``listen(host:port:)`` asks for, as soon as that is possible.
    func beginListening(host: String, port: UInt16)
    /// Asks the server to listen on a port no longer (RFC 4254 §7.1).
    /// - Returns: whether the server agreed.
    func cancelListen(host: String, port: UInt16) throws(SSHError) -> Attempt<Bool>

    /// Bytes sent and received since the connection began.
    var traffic: (sent: UInt64, received: UInt64) { get }
    /// Packets received so far; an answer to a keepalive raises it.
    var packetsReceived: UInt64 { get }
    /// Asks for a sign of life; any packet that comes back counts as one.
    func sendKeepalive()
    /// Begins a new key exchange (escape `~R`).
    func requestRekey()
    /// Marks the packets of the connection from here on (IPQoS).
    /// - Parameter value: the type of service, 0 to 255.
    func setTrafficClass(_ value: Int32)
    /// The user ends the run: whatever tries to keep the connection up stops trying.
    func giveUp()
}

extension ChannelCarrier {
    /// A connection that is not kept up has nothing to give up.
    public func giveUp() {}
}

extension ChannelCarrier {
    /// Makes a channel to a TCP port on behalf of no connection of this side, as OpenSSH says it.
    /// - Parameters:
    ///   - host: a name or address the server resolves.
    ///   - port: 1 to 65535.
    /// - Returns: the channel, not open yet.
    public func openDirectTCP(host: String, port: UInt16) -> any Channel {
        openDirect(to: .tcp(host: host, port: port), from: .unknown)
    }
}

extension Session: ChannelCarrier {}
