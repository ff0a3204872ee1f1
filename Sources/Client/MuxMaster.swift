internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// The master of a shared connection: it listens at ControlPath and takes clients in.
final class MuxMaster: ChannelUser {
    let description = "mux listener"
    let keepsConnection = false

    let loggedIn: LoggedIn
    /// What clients have forwarded.
    let forwards: MuxForwards
    /// Whether no more clients are taken (`-O stop`).
    private(set) var hasStopped = false

    private let path: String
    private var listener: Descriptor?
    private var slot: PollSet.Slot?
    /// When accepting may be tried again, after there were no descriptors left.
    private var pause: Instant?
    /// When the master ends: at once, or when its idle time is over (ControlPersist).
    private var end: Instant?
    private var isEnding = false
    private var rides: [ObjectIdentifier: MuxRide] = [:]
    private var proxies: [MuxProxy] = []
    private var windowChanges: Int

    private var options: Options { loggedIn.plan.options }
    private var trace: Trace { loggedIn.context.trace }
    private var signals: Signals { loggedIn.context.poller.signals }

    /// Listens, if the configuration says so and nobody else does.
    /// - Returns: nil when there is nothing to listen at.
    /// - Throws: ``MuxFault`` when that ends the run.
    init?(_ loggedIn: LoggedIn) throws(MuxFault) {
        let options = loggedIn.plan.options
        guard options.controlMaster != .no, let path = options.controlPath else { return nil }
        let trace = loggedIn.context.trace
        trace.debug(.debug1, .local, "setting up multiplex master socket")
        guard let listener = try MuxMaster.listen(path, trace: trace) else { return nil }
        self.loggedIn = loggedIn
        forwards = MuxForwards(over: loggedIn)
        self.path = path
        self.listener = consume listener
        let signals = loggedIn.context.poller.signals
        signals.catchSignal(.windowChange)
        windowChanges = signals.count(of: .windowChange)
        raiseDescriptorLimit()
        loggedIn.channels.add(self)
        let others = loggedIn.session.serverChannels.onForwardedTCP
        loggedIn.session.serverChannels.onForwardedTCP = { [weak self] request in
            self?.offer(request) ?? others?(request)
        }
    }

    private static func listen(_ path: String, trace: Trace) throws(MuxFault) -> Descriptor? {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        let temporary = "\(path).\(String((0..<16).compactMap { _ in letters.randomElement() }))"
        do throws(SystemError) {
            return try listenLocal(
                LosslessText.bytes(path),
                temporary: LosslessText.bytes(temporary),
                backlog: 64
            )
        } catch {
            switch (error.call, error.kind) {
            case ("link", .existing), ("bind", .inUse):
                trace.say(
                    .error,
                    "ControlSocket \(path) already exists, disabling multiplexing"
                )
                return nil
            case ("link", _):
                throw MuxFault(
                    "muxserver_listen: link mux listener \(temporary) => \(path): \(error.reason)"
                )
            case (_, .tooLong):
                throw MuxFault(
                    "unix_listener: path \"\(temporary)\" too long for Unix domain socket"
                )
            default:
                throw MuxFault(
                    "unix_listener: cannot bind to path \(temporary): \(error.reason)"
                )
            }
        }
    }

    /// Whether clients can come.
    var isListening: Bool { number != nil }

    private var number: Int32? {
        switch listener {
        case .some(let listener): listener.number
        case .none: nil
        }
    }

    /// Takes no more clients; those that are here stay.
    func stop() {
        guard isListening else { return }
        listener = nil
        hasStopped = true
        try? removeFile(rawPath: LosslessText.bytes(path))
    }

    /// Ends the master with the run: nobody can find it any more.
    func close() {
        stop()
        loggedIn.channels.remove(self)
    }

    /// Lets the run end with this turn (`-O exit`).
    func terminate() { isEnding = true }

    /// Only stops to have the socket, which another process goes on listening at.
    func giveAway() { listener = nil }

    // MARK: - Rides

    /// Takes in a session that a client has asked for; it hears of new window sizes.
    /// - Returns: the session's number.
    func begin(_ ride: MuxRide) -> UInt32 {
        rides[ObjectIdentifier(ride)] = ride
        return UInt32(loggedIn.channels.add(ride))
    }

    /// Forgets a session that has ended.
    func finish(_ ride: MuxRide) {
        rides[ObjectIdentifier(ride)] = nil
        loggedIn.channels.remove(ride)
    }

    // MARK: - Proxies

    /// Lets a client speak with the server as if it had the connection.
    func begin(_ proxy: MuxProxy) {
        proxies.append(proxy)
        loggedIn.channels.add(proxy)
    }

    /// Forgets one that has gone.
    func finish(_ proxy: MuxProxy) {
        proxies.removeAll { $0 === proxy }
        loggedIn.channels.remove(proxy)
    }

    private func offer(_ request: ServerChannelRequest) -> ((any Channel) -> Void)? {
        proxies.lazy.compactMap { $0.offer(request) }.first
    }

    // MARK: - Source

    var deadline: Instant? { earliest(end, pause) }

    func watch(_ set: inout PollSet) {
        // The last client may have gone in the turn before, after ours.
        decideEnd(loggedIn.context.poller.now)
        slot = nil
        if pause != nil { return }
        if let number { slot = set.watch(number, .read) }
    }

    func ready(_ set: PollSet, now: Instant) throws {
        if let due = pause, due <= now { pause = nil }
        if !set[slot].isEmpty { takeClients(now) }
        let changes = signals.count(of: .windowChange)
        if changes != windowChanges {
            windowChanges = changes
            for ride in rides.values { ride.updateWindow() }
        }
        try endIfDue(now)
    }

    private func takeClients(_ now: Instant) {
        do throws(SystemError) {
            while let connection = try accept() {
                trace.debug(.debug1, .local, "multiplexing control connection")
                let peer = try peerUser(of: connection.number)
                guard peer == 0 || peer == User.currentID else {
                    trace.say(
                        .error,
                        "multiplex uid mismatch: peer euid \(peer) != uid \(User.currentID)"
                    )
                    continue
                }
                loggedIn.channels.add(MuxGuest(try MuxSocket(connection), of: self))
            }
        } catch {
            trace.say(.error, "channel_post_mux_listener: accept: \(error.reason)")
            // As OpenSSH, which waits for a second when there are no descriptors left.
            pause = now + .seconds(1)
        }
    }

    private func accept() throws(SystemError) -> Descriptor? {
        guard let number else { return nil }
        return try acceptConnection(number)
    }

    /// Decides when the master ends, as things are now.
    private func decideEnd(_ now: Instant) {
        let isBusy = loggedIn.channels.keepsConnection
        let isAlone = options.controlPersist != .no || loggedIn.plan.task == .hold
        if isEnding || (hasStopped && isAlone && !isBusy) {
            end = now
        } else if case .idle(let seconds) = options.controlPersist, isListening, !isBusy {
            end = end ?? now + .seconds(seconds)
        } else {
            end = nil
        }
    }

    private func endIfDue(_ now: Instant) throws {
        decideEnd(now)
        guard let end, end <= now else { return }
        if isListening && !isEnding {
            trace.debug(.debug1, .local, "ControlPersist timeout expired")
        }
        throw MasterEnded()
    }
}

/// Ends a run whose clients, or its own idleness, have put an end to it.
struct MasterEnded: Error {}
