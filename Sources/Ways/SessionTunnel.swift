internal import NIOCore
internal import Posix
internal import SessionManager

/// Carries bytes between what is on this side and a session's data channel, over one websocket after
/// the other.
///
/// It drives ``DataChannel`` with what comes and with the time, and does what that says. Nothing is
/// read that cannot be put down: while this side is full the websocket is not read, and while the
/// channel has no room this side is not.
final class SessionTunnel: WebSocketUser {
    /// What became of a websocket.
    enum Outcome: Sendable {
        /// It broke; the session goes on.
        case lost(WebSocketError)
        /// The session is over.
        case over(DataChannel.Ending)
        /// This side has ended it.
        case stopped
    }

    /// From asking the agent for the session's end until it is ended without it.
    private static let grace = TimeAmount.milliseconds(700)

    private let load: any SessionLoad
    private let observer: SessionObserver
    private var channel: DataChannel
    private var socket: WebSocket?
    private var token = ""
    private var next: EventLoopPromise<Outcome>?
    private var outcome: Outcome?
    private var timer: (due: Instant, task: Scheduled<Void>)?
    private var isBlocked = false
    private var isSettling = false
    private var mustSettle = false
    /// Whether the agent has been there.
    private(set) var isOpen = false
    /// Whether the instance has spoken.
    private(set) var hasBeenGreeted = false
    private var hasAskedForEnd = false
    /// How much had arrived when the websocket was prepared for.
    private var arrivedBefore: UInt64 = 0

    init(_ load: any SessionLoad, _ channel: DataChannel, _ observer: SessionObserver) {
        self.load = load
        self.channel = channel
        self.observer = observer
        load.tunnel = self
    }

    /// Whether the websocket has moved the session on, one way or the other.
    var hasMoved: Bool { channel.arrived > arrivedBefore }
    /// Whether the session is over for good.
    var isOver: Bool { outcome != nil }
    /// Whether all that was taken has arrived.
    var isIdle: Bool { channel.isIdle }

    /// Prepares for the next websocket.
    /// - Parameters:
    ///   - token: what opens the data channel on it.
    ///   - next: fulfilled when the websocket or the session is over.
    func prepare(token: String, _ next: EventLoopPromise<Outcome>) {
        self.token = token
        arrivedBefore = channel.arrived
        if let outcome { next.succeed(outcome) } else { self.next = next }
    }

    /// Ends the session by a word to the agent, or without it where nobody can be asked.
    func endInband() {
        if outcome != nil || hasAskedForEnd { return }
        guard let socket else { return stop() }
        hasAskedForEnd = true
        let tunnel = NIOLoopBound(self, eventLoop: TunnelLoop.loop)
        TunnelLoop.loop.scheduleTask(in: SessionTunnel.grace) { tunnel.value.stop() }
        perform(channel.terminate(now: readClock()))
        socket.flush()
        settle()
    }

    /// Ends the tunnel, whatever becomes of the session.
    func stop() {
        finish(.stopped)
        socket?.close()
        load.close()
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
            end(.malformed(error.summary))
        }
    }

    /// The service says nothing in texts.
    func received(text: String) {}

    func receivedAll() {
        load.flush()
        if !load.hasRoom, !isBlocked {
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
        load.flush()
        if hasAskedForEnd { finish(.stopped) } else { finish(.lost(error)) }
    }

    /// What comes makes no sense: the session is given up.
    func end(_ error: WebSocketError) {
        finish(.over(.byPeer(text: error.summary)))
        socket?.close()
    }

    // MARK: - This side

    /// Bytes that ``send(_:)`` takes now.
    var room: Int { channel.room }

    /// Takes bytes for the instance.
    /// - Returns: how many were taken, from the first.
    func send(_ bytes: ArraySlice<UInt8>) -> Int { channel.send(bytes) }

    /// Tells a shell the size of its terminal.
    func resize(columns: Int, rows: Int) {
        perform(channel.resize(columns: columns, rows: rows, now: readClock()))
    }

    /// Tells an old agent that a connection is over.
    func disconnect() { perform(channel.disconnect(now: readClock())) }

    /// There is something to send.
    func loadChanged() { settle() }

    /// Bytes can be delivered again.
    func loadHasRoom() {
        guard isBlocked, load.hasRoom else { return }
        isBlocked = false
        channel.excuse(now: readClock())
        socket?.hold(false)
        settle()
    }

    /// Does what the loop has asked for.
    func obey(_ order: TunnelOrder) { if outcome == nil { load.obey(order) } }

    /// The key that the agent wants, or why there is none.
    func take(_ key: Result<DataKey, DataKeyRefusal>) {
        if outcome != nil { return }
        perform(channel.take(key, now: readClock()))
        settle()
    }

    // MARK: - The channel

    /// Gives the channel what this side has, sends what it allows, and waits for the next.
    private func settle() {
        mustSettle = true
        if isSettling { return }
        isSettling = true
        defer { isSettling = false }
        while mustSettle, outcome == nil, !isBlocked {
            mustSettle = false
            let now = readClock()
            load.supply(now)
            if let socket {
                // What waits here already needs neither more nor the same again.
                if socket.isWritable { perform(channel.advance(now: now)) }
                socket.flush()
            }
            // That may have made room.
            load.supply(now)
            schedule(now)
        }
    }

    /// A timer that is due too early costs one look; one is not made for each message.
    private func schedule(_ now: Instant) {
        guard outcome == nil,
            let deadline = earliest(socket == nil ? nil : channel.deadline, load.deadline)
        else { return }
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
            case .sendBinary(let bytes): socket?.send(bytes)
            case .deliver(let bytes, _): deliver(bytes)
            case .opened(let version, let message):
                isOpen = true
                load.opened(agentVersion: version)
                observer.isOpened(version, message)
            case .askForKey(let request): observer.asksForKey(request)
            case .refusedConnection: load.refused()
            case .closed(let ending):
                socket?.flush()
                load.flush()
                finish(.over(ending))
                socket?.close()
            }
        }
    }

    private func deliver(_ bytes: [UInt8]) {
        load.deliver(bytes)
        if hasBeenGreeted { return }
        hasBeenGreeted = true
        observer.isGreeted()
    }
}
