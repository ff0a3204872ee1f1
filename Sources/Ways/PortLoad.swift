internal import NIOCore
internal import Posix
internal import SessionManager

/// Many connections on this side are streams of one session (``Smux``); with an old agent one
/// follows the other.
final class PortLoad: SessionLoad {
    private enum Carriage {
        /// The agent is not there yet.
        case unknown
        case many(Smux)
        case turns(PortTurns)
    }

    /// Bytes of a frame: small ones let many connections take turns.
    private static let portion = 16_384
    /// Bytes that clients do not take, of all connections together; then nothing more is taken from
    /// the session, as there is no window for a connection of its own.
    private static let mostHeld = 8 << 20

    weak var tunnel: SessionTunnel?

    private let isRefused: () -> Void
    private var carriage = Carriage.unknown
    private var ends: [PortEnd] = []
    /// Those that the other side has closed, until their clients have seen it.
    private var leaving: [PortEnd] = []
    private var touched: [PortEnd] = []
    /// Frames that the channel has not taken.
    private var outbox: ArraySlice<UInt8> = []
    /// Whose turn it is to send.
    private var turn = 0
    private var isClosed = false

    /// - Parameter isRefused: called when the agent could not connect.
    init(isRefused: @escaping () -> Void) { self.isRefused = isRefused }

    var hasRoom: Bool {
        (ends + leaving).reduce(0) { $0 + $1.heldBytes } < PortLoad.mostHeld
    }

    var deadline: Instant? {
        switch carriage {
        case .unknown: nil
        case .many(let smux): ends.reduce(smux.deadline) { earliest($0, $1.closeTime) }
        case .turns(let turns): turns.deadline
        }
    }

    func refused() { isRefused() }

    // MARK: - Connections

    func obey(_ order: TunnelOrder) {
        guard case .connect(let descriptor) = order, let number = descriptor.take() else { return }
        let load = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        Task(executorPreference: TunnelExecutor.shared) {
            // Without a socket the client sees its end.
            guard let local = try? await LocalEnd.open(number) else { return }
            TunnelLoop.loop.execute { load.value.add(local.value) }
        }
    }

    private func add(_ local: LocalEnd) {
        if isClosed { return local.close() }
        let end = PortEnd(local, self)
        ends.append(end)
        begin(end)
        tunnel?.loadChanged()
    }

    func opened(agentVersion: String) {
        let version = AgentVersion(agentVersion)
        carriage =
            version.hasMany
            ? .many(Smux(keepsAlive: version.needsKeepalive, now: readClock()))
            : .turns(PortTurns())
        ends.forEach(begin)
    }

    private func begin(_ end: PortEnd) {
        guard case .many(var smux) = carriage else { return }
        if let opened = smux.open() {
            end.stream = opened.stream
            outbox += opened.bytes
        } else {
            end.close()
            ends.removeAll { $0 === end }
        }
        carriage = .many(smux)
    }

    /// A client has gone.
    func endClosed(_ end: PortEnd) {
        leaving.removeAll { $0 === end }
        tunnel?.loadHasRoom()
        tunnel?.loadChanged()
    }

    /// A client has taken what was held.
    func endHasRoom() { tunnel?.loadHasRoom() }

    func close() {
        isClosed = true
        (ends + leaving).forEach { $0.close() }
        ends = []
        leaving = []
    }

    // MARK: - Out

    func supply(_ now: Instant) {
        guard let tunnel else { return }
        switch carriage {
        case .unknown: return
        case .many(var smux):
            outbox += smux.advance(now: now)
            for end in ends {
                if let due = end.closeTime, now >= due { close(end, &smux) }
            }
            carriage = .many(smux)
            send(through: smux, tunnel)
        case .turns(var turns):
            let done = turns.supply(ends.first, tunnel, now)
            carriage = .turns(turns)
            ends.removeAll { $0 === done }
            done?.close()
            return
        }
        if tunnel.room > 0 { ends.forEach { $0.read() } }
    }

    private func send(through smux: Smux, _ tunnel: SessionTunnel) {
        while true {
            if !outbox.isEmpty { outbox = outbox.dropFirst(tunnel.send(outbox)) }
            guard outbox.isEmpty, let (stream, piece) = nextPiece() else { return }
            outbox = smux.send(piece, on: stream)[...]
        }
    }

    /// What comes next, each connection in its turn.
    private func nextPiece() -> (UInt32, ArraySlice<UInt8>)? {
        for offset in ends.indices {
            let index = (turn + offset) % ends.count
            guard let stream = ends[index].stream, ends[index].hasBytes else { continue }
            turn = index + 1
            return (stream, ends[index].take(PortLoad.portion))
        }
        return nil
    }

    private func close(_ end: PortEnd, _ smux: inout Smux) {
        if let stream = end.stream { outbox += smux.close(stream) }
        end.close()
        ends.removeAll { $0 === end }
    }

    // MARK: - In

    func deliver(_ bytes: [UInt8]) {
        switch carriage {
        case .unknown: break
        case .turns(var turns):
            if let end = turns.deliver(bytes) { touched.append(end) }
            carriage = .turns(turns)
        case .many(var smux):
            do throws(Smux.Malformed) {
                let events = try smux.receive(bytes)
                // What is done with them may come back here.
                carriage = .many(smux)
                events.forEach(take)
            } catch {
                tunnel?.end(.malformed("smux: \(error)"))
            }
        }
    }

    private func take(_ event: Smux.Event) {
        switch event {
        case .data(let stream, let bytes):
            guard let end = ends.first(where: { $0.stream == stream }) else { return }
            end.deliver(bytes)
            touched.append(end)
        case .closed(let stream):
            guard let end = ends.first(where: { $0.stream == stream }) else { return }
            ends.removeAll { $0 === end }
            leaving.append(end)
            end.finish()
        }
    }

    func flush() {
        touched.forEach { $0.flush() }
        touched = []
    }
}
