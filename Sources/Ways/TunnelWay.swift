internal import Faults
public import Posix

/// A way through AWS: the connection's bytes go over a websocket, which lives beside the loop.
///
/// It is open when the first bytes have come from the instance: servers of SSH speak first, and
/// before that nobody knows whether there is one.
public class TunnelWay: Tunnel, Way {
    private var socket: Descriptor?

    /// The instance's own address is not seen.
    public var peer: SocketAddress? { nil }

    /// Begins.
    /// - Parameters:
    ///   - trace: told each step.
    ///   - farewell: how long ``Tunnel/end()`` waits at most.
    ///   - work: carries bytes between a socket that it owns from now on and the instance.
    init(
        trace: Trace,
        farewell: Duration,
        _ work: @escaping @Sendable (Int32, TunnelControl) async -> Void
    ) {
        switch TunnelWay.makeEnds() {
        case .success(let ends):
            socket = Descriptor(owning: ends.near)
            super.init(ends.mailbox, trace: trace, farewell: farewell) { control in
                await work(ends.far, control)
            }
        case .failure(let error):
            socket = nil
            super.init(WayError(local: error), trace: trace)
        }
    }

    /// Hands over the connection, once.
    /// - Returns: a non-blocking socket; nil as long as the instance has not spoken, and after it
    ///   was taken.
    public func take() -> Descriptor? {
        guard case .open = state else { return nil }
        return socket.take()
    }

    private static func makeEnds() -> Result<
        (near: Int32, far: Int32, mailbox: Mailbox<TunnelEvent>), SystemError
    > {
        Result { () throws(SystemError) in
            let mailbox = try Mailbox<TunnelEvent>()
            let pair = try makeSocketPair()
            let near = try pair.near.duplicate()
            try setNonBlocking(near.number)
            let far = try pair.far.duplicate()
            return (near.release(), far.release(), mailbox)
        }
    }
}
