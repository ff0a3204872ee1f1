internal import JSONText
internal import NIOCore
internal import Posix
internal import SessionManager

/// Carries bytes between the local end and a session's data channel, over one websocket after the
/// other.
///
/// It drives ``DataChannel`` with what comes and with the time, and does what that says. Nothing is
/// read that cannot be put down: while the local end is full the websocket is not read, and while
/// the channel has no room the local end is not.
final class SessionTunnel: WebSocketUser, LocalEndUser {
    /// What became of a websocket.
    enum Outcome: Sendable {
        /// It broke; the session goes on.
        case lost(WebSocketError)
        /// The session is over.
        case over(DataChannel.Ending)
        /// This side has ended it.
        case stopped
    }

    /// What the tunnel tells as it happens.
    struct Observer {
        /// The agent is there, of that version.
        var isOpened: (String) -> Void
        /// The first bytes have come.
        var isGreeted: () -> Void
    }

    /// Between looks at a session whose local end has nothing more to say.
    private static let drain = TimeAmount.seconds(1)
    /// From asking the agent for the session's end until it is ended without it.
    private static let grace = TimeAmount.milliseconds(700)

    private let local: LocalEnd
    private let observer: Observer
    private var channel: DataChannel
    private var socket: WebSocket?
    private var token = ""
    private var next: EventLoopPromise<Outcome>?
    private var outcome: Outcome?
    /// Bytes of the local end that the channel had no room for.
    private var rest: ArraySlice<UInt8> = []
    private var timer: (due: Instant, task: Scheduled<Void>)?
    private var isBlocked = false
    /// Whether the agent has been there.
    private(set) var isOpen = false
    /// Whether the instance has spoken.
    private(set) var hasBeenGreeted = false
    private var hasLocalEnded = false
    private var isQuiet = false
    private var hasAskedForEnd = false
    /// Whether the websocket has brought anything that moved the session on.
    private(set) var hasMoved = false

    init(_ local: LocalEnd, _ channel: DataChannel, _ observer: Observer) {
        self.local = local
        self.channel = channel
        self.observer = observer
        local.user = self
    }

    /// Prepares for the next websocket.
    /// - Parameters:
    ///   - token: what opens the data channel on it.
    ///   - next: fulfilled when the websocket or the session is over.
    func prepare(token: String, _ next: EventLoopPromise<Outcome>) {
        self.token = token
        hasMoved = false
        if let outcome { next.succeed(outcome) } else { self.next = next }
    }

    /// Asks the agent to end the session.
    /// - Returns: false when nobody can be asked.
    func askForEnd() -> Bool {
        guard let socket, outcome == nil else { return false }
        if hasAskedForEnd { return true }
        hasAskedForEnd = true
        let tunnel = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        TunnelLoop.loop.scheduleTask(in: SessionTunnel.grace) { tunnel.value.stop() }
        perform(channel.terminate(now: readClock()))
        socket.flush()
        return true
    }

    /// Ends the tunnel, whatever becomes of the session.
    func stop() {
        finish(.stopped)
        socket?.close()
        local.close()
    }

    /// The agent should have been there by now.
    func giveUpUnlessOpen() {
        if isOpen { return }
        finish(.over(.silent))
        socket?.close()
    }

    private func finish(_ outcome: Outcome) {
        if case .lost = outcome {} else if self.outcome == nil { self.outcome = outcome }
        timer?.task.cancel()
        timer = nil
        next?.succeed(outcome)
        next = nil
    }

    // MARK: - The websocket

    func opened(_ socket: WebSocket) {
        if outcome != nil { return socket.close() }
        self.socket = socket
        perform(channel.attach(token: token, now: readClock()))
        settle()
    }

    func received(_ message: ByteBuffer) {
        if outcome != nil { return }
        do throws(FrameError) {
            perform(try channel.receive(Array(message.readableBytesView), now: readClock()))
        } catch {
            // What is damaged under TLS was damaged on purpose, or is of a kind we do not know.
            end(.malformed("\(error)"))
        }
    }

    /// The service says nothing in texts.
    func received(text: String) {}

    func receivedAll() {
        local.flush()
        if !local.isWritable, !isBlocked {
            isBlocked = true
            socket?.hold(true)
        }
        settle()
    }

    func writabilityChanged() { settle() }

    func ended(_ error: WebSocketError) {
        socket = nil
        isBlocked = false
        channel.detach()
        local.flush()
        if hasAskedForEnd { finish(.stopped) } else { finish(.lost(error)) }
    }

    private func end(_ error: WebSocketError) {
        finish(.over(.byPeer(text: error.summary)))
        socket?.close()
    }

    // MARK: - The local end

    func receivedLocal(_ bytes: ByteBuffer) {
        rest += bytes.readableBytesView
        settle()
    }

    /// A session has no half: it stays as long as the instance goes on speaking.
    func localEnded() {
        hasLocalEnded = true
        isQuiet = true
        let tunnel = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        TunnelLoop.loop.scheduleTask(in: SessionTunnel.drain) { tunnel.value.endIfQuiet() }
    }

    private func endIfQuiet() {
        if outcome != nil { return }
        if isQuiet && rest.isEmpty && channel.isIdle { stop() } else { localEnded() }
    }

    func localWritabilityChanged() {
        guard isBlocked, local.isWritable else { return }
        isBlocked = false
        channel.excuse(now: readClock())
        socket?.hold(false)
        settle()
    }

    func localClosed() {
        if outcome == nil, !askForEnd() { stop() }
    }

    // MARK: - The channel

    /// Gives the channel what the local end has, sends what it allows, and waits for the next.
    private func settle() {
        guard outcome == nil, !isBlocked else { return }
        if !rest.isEmpty { rest = rest.dropFirst(channel.send(rest)) }
        let now = readClock()
        if let socket {
            // What waits here already needs neither more nor the same again.
            if socket.isWritable { perform(channel.advance(now: now)) }
            socket.flush()
        }
        if !rest.isEmpty { rest = rest.dropFirst(channel.send(rest)) }
        if rest.isEmpty, channel.room > 0, !hasLocalEnded { local.read() }
        schedule(now)
    }

    /// A timer that is due too early costs one look; one is not made for each message.
    private func schedule(_ now: Instant) {
        guard socket != nil, let deadline = channel.deadline else { return }
        if let timer, timer.due <= deadline { return }
        timer?.task.cancel()
        let tunnel = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        let task = TunnelLoop.loop.scheduleTask(in: max(deadline - now, .zero).amount) {
            tunnel.value.timer = nil
            tunnel.value.settle()
        }
        timer = (due: deadline, task: task)
    }

    private func perform(_ actions: [DataChannel.Action]) {
        for action in actions {
            switch action {
            case .sendText(let text): socket?.send(text: text)
            case .sendBinary(let bytes): socket?.send(ByteBuffer(bytes: bytes))
            case .deliver(let bytes, _): deliver(bytes)
            case .opened(let version):
                hasMoved = true
                isOpen = true
                observer.isOpened(version)
            case .closed(let ending):
                socket?.flush()
                local.flush()
                finish(.over(ending))
                socket?.close()
            }
        }
    }

    private func deliver(_ bytes: [UInt8]) {
        hasMoved = true
        isQuiet = false
        local.write(ByteBuffer(bytes: bytes))
        if hasBeenGreeted { return }
        hasBeenGreeted = true
        observer.isGreeted()
    }
}
