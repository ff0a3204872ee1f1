internal import Faults
internal import Posix
internal import SSHConfig
internal import Terminal

/// A session, or `-W`, that the master runs on our standard streams while we wait for its end.
final class MuxPassenger {
    /// What ends a passenger.
    private static let endingSignals: [Signal] = [.hangup, .interrupt, .terminate]

    private let context: Context
    private let plan: Plan
    private let link: MuxLink
    private let poller: Poller
    private let rawMode = RawMode()
    private var masterID: Int32 = 0

    private var options: Options { plan.options }
    private var trace: Trace { context.trace }

    init(_ context: Context, _ plan: Plan, _ link: MuxLink, in poller: Poller) {
        self.context = context
        self.plan = plan
        self.link = link
        self.poller = poller
    }

    /// Rides along.
    /// - Returns: the exit status; nil when the master would not have us and nothing has happened.
    /// - Throws: ``MuxFault`` for what ends the run.
    func run() throws -> Int32? {
        if options.stdinNull { redirectToNull(0) }
        catchSignals()
        do {
            switch plan.task {
            case .shell, .command, .subsystem: return try rideSession()
            case .forward(let host, let port):
                return try rideForward(host, UInt32(clamping: port))
            case .hold: return try hold()
            }
        } catch is MuxKilled {
            // Nothing has begun yet.
            return Work.failure
        }
    }

    // MARK: - A session

    private func rideSession() throws -> Int32? {
        // Nothing is waited for that need not be: a master reads these one after the other.
        let alive = link.send { .aliveCheck(id: $0) }
        let session = request()
        let id = link.send(passing: [0, 1, 2]) { .newSession(id: $0, session) }
        let function = "mux_client_request_session"
        guard try link.isWelcome() else { return nil }
        masterID = Int32(bitPattern: try link.awaitAlive(alive))
        guard let reply = try link.reply() else {
            trace.say(.error, "\(function): read from master failed: Broken pipe")
            return nil
        }
        try reply.check(id: id, in: function)
        switch reply {
        case .sessionOpened(_, let session): return try ride(session)
        case .permissionDenied(_, let reason):
            trace.say(.error, "Master refused session request: \(reason)")
        case .failure(_, let reason):
            trace.say(.error, "\(function): session request failed: \(reason)")
        default:
            trace.say(.error, "\(function): unexpected response from master \(reply.typeText)")
        }
        return nil
    }

    private func request() -> MuxSession {
        var session = MuxSession()
        session.wantsTerminal = plan.wantsTerminal
        session.wantsX11 = options.forwardX11
        session.wantsAgent = options.forwardAgent
        session.escape = options.escapeChar.map(UInt32.init) ?? MuxSession.noEscape
        session.term =
            options.setVariables.last { $0.name == "TERM" && !$0.value.isEmpty }?.value
            ?? context.environment["TERM"] ?? ""
        switch plan.task {
        case .command(let words): session.command = words
        case .subsystem(let name):
            session.command = name
            session.isSubsystem = true
        case .shell, .hold, .forward: break
        }
        session.environment =
            context.environment.filter { options.sends(variable: $0.key) }
            .map { "\($0.key)=\($0.value)" } + options.setVariables.map { "\($0.name)=\($0.value)" }
        return session
    }

    private func ride(_ session: UInt32) throws -> Int32 {
        trace.debug(.debug1, .channel, "master session id: \(session)")
        if options.forkAfterAuthentication { try continueInBackground() }
        if plan.wantsTerminal { changeMode { () throws(SystemError) in try rawMode.enter() } }
        var status: UInt32?
        var killed: MuxKilled?
        do {
            while let reply = try link.reply() { try take(reply, session, &status) }
        } catch let error as MuxKilled {
            killed = error
        }
        link.leave()
        changeMode { () throws(SystemError) in try rawMode.leave() }
        tell(status, killed)
        if plan.wantsTerminal && trace.level >= .info {
            try? writeAll(2, Array("Shared connection to \(options.hostname) closed.\r\n".utf8))
        }
        if killed != nil { return Work.failure }
        return status.map { Int32(truncatingIfNeeded: $0) } ?? Work.failure
    }

    private func take(_ reply: MuxReply, _ session: UInt32, _ status: inout UInt32?) throws {
        switch reply {
        case .ttyAllocationFailed(session):
            changeMode { () throws(SystemError) in try rawMode.leave() }
        case .exitMessage(session, let value) where status == nil: status = value
        default:
            changeMode { () throws(SystemError) in try rawMode.leave() }
            throw MuxFault("mux_client_request_session: \(complaint(reply, session))")
        }
    }

    private func tell(_ status: UInt32?, _ killed: MuxKilled?) {
        if let killed {
            trace.debug(.debug2, .local, "Exiting on signal: \(killed.signal.rawValue)")
        } else if let status {
            trace.debug(.debug2, .local, "Received exit status from master \(status)")
        } else {
            trace.debug(.debug2, .local, "Control master terminated unexpectedly")
        }
    }

    private func complaint(_ reply: MuxReply, _ mine: UInt32) -> String {
        switch reply {
        case .ttyAllocationFailed(let theirs):
            "tty alloc fail on unknown session: my id \(mine) theirs \(theirs)"
        case .exitMessage(mine, _): "exitval sent twice"
        case .exitMessage(let theirs, _):
            "exit on unknown session: my id \(mine) theirs \(theirs)"
        default: "master returned error: \(reply.reason ?? reply.typeText)"
        }
    }

    /// With `-tt` there may be no terminal here at all.
    private func changeMode(_ change: () throws(SystemError) -> Void) {
        do throws(SystemError) {
            try change()
        } catch {
            if options.requestTTY != .force { trace.say(.error, error.summary) }
        }
    }

    // MARK: - Without a session

    private func rideForward(_ host: String, _ port: UInt32) throws -> Int32? {
        let function = "mux_client_request_stdio_fwd"
        let alive = link.send { .aliveCheck(id: $0) }
        let id = link.send(passing: [0, 1]) { .newStdioForward(id: $0, host: host, port: port) }
        guard try link.isWelcome() else { return nil }
        masterID = Int32(bitPattern: try link.awaitAlive(alive))
        guard let reply = try link.reply() else {
            throw MuxFault("\(function): read from master failed: Broken pipe")
        }
        try reply.check(id: id, in: function)
        switch reply {
        case .sessionOpened: break
        case .permissionDenied(_, let reason):
            throw MuxFault("Master refused stdio forwarding request: \(reason)")
        case .failure(_, let reason): throw MuxFault("Stdio forwarding request failed: \(reason)")
        default: throw MuxFault("\(function): unexpected response from master \(reply.typeText)")
        }
        do {
            guard let reply = try link.reply() else { return 0 }
            throw MuxFault("\(function): master returned unexpected message \(reply.typeText)")
        } catch is MuxKilled {
            return 0
        }
    }

    /// `-N`: the forwards are the master's; we stay so that it does, until one of us is ended.
    private func hold() throws -> Int32? {
        guard try link.isWelcome() else { return nil }
        redirectToNull(1)
        if options.forkAfterAuthentication { try continueInBackground() }
        do {
            _ = try link.reply()
        } catch let killed as MuxKilled where killed.signal == .terminate {
            return 0
        }
        return Work.failure
    }

    // MARK: - Signals

    private func catchSignals() {
        let signals = poller.signals
        for signal in MuxPassenger.endingSignals {
            signals.catchSignal(signal, unlessIgnored: true)
        }
        signals.catchSignal(.windowChange)
        link.onWait = { [unowned self] in
            if let signal = MuxPassenger.endingSignals.first(where: signals.take) {
                throw MuxKilled(signal: signal)
            }
            // The master asks for the new size itself, of the descriptor it has.
            if signals.take(.windowChange) { send(.windowChange, to: masterID) }
        }
    }
}

/// Ends a passenger.
private struct MuxKilled: Error {
    let signal: Signal
}
