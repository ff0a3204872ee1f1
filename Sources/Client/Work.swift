internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// What a run does once it is logged in, and the exit status that comes of it.
struct Work {
    /// ssh's status for every failure of its own, and for a command that ended without a status.
    static let failure: Int32 = 255
    /// How long an answer about a forward is waited for when the command has ended.
    private static let answersLimit = Duration.seconds(5)

    let loggedIn: LoggedIn
    /// The foreground's other half, where the fork came first.
    var forked: ForkedProcess?
    /// Looks at the first output of a login whose user was a guess.
    var hintWatch: UserHintWatch?

    var context: Context { loggedIn.context }
    var plan: Plan { loggedIn.plan }
    private var options: Options { plan.options }

    /// Does the task.
    /// - Returns: the exit status.
    /// - Throws: the fault that ended the connection or refused the task.
    func run() throws -> Int32 {
        try loggedIn.forwarding.openConfigured()
        defer { loggedIn.forwarding.close() }
        try awaitForwards(until: nil) {
            options.exitOnForwardFailure ? $0.isSettled : $0.isSent
        }
        let master = try MuxMaster(loggedIn)
        defer { master?.close() }
        do {
            return try run(sharing: master)
        } catch is MasterEnded {
            if plan.wantsTerminal {
                context.trace.say(.info, "Connection to \(options.hostname) closed.")
            }
            return Work.failure
        }
    }

    private func run(sharing master: MuxMaster?) throws -> Int32 {
        if options.permitLocalCommand, let command = plan.localCommand {
            try runLocalCommand(command, shell: context.shell, trace: context.trace)
        }
        let began = readClock()
        defer { sayTraffic(in: readClock() - began) }
        let keepalive = keepalive()
        keepalive.map(context.poller.add)
        defer { keepalive.map(context.poller.remove) }
        if let master, options.controlPersist != .no { return try persist(master) }
        switch plan.task {
        case .shell, .command, .subsystem: return try runSession()
        case .forward(let host, let port): return try runForward(host, port)
        case .hold: return try hold()
        }
    }

    /// Waits for remote forwards: what runs on the server may use them, a refusal may end the run,
    /// and it is said however short the command is.
    private func awaitForwards(
        until deadline: Instant?,
        for state: (Forwarding) -> Bool
    ) throws {
        _ = try context.poller.wait(until: deadline) {
            state(loggedIn.forwarding) || loggedIn.session.failure != nil ? .done(()) : .again
        }
    }

    private func sayTraffic(in time: Duration) {
        guard context.trace.level >= .verbose else { return }
        let traffic = loggedIn.session.traffic
        let text = tenths(time.seconds)
        context.trace.say(
            .verbose,
            "Transferred: sent \(traffic.sent), received \(traffic.received) bytes, in \(text) seconds"
        )
        let sent = tenths(Double(traffic.sent) / time.seconds)
        let received = tenths(Double(traffic.received) / time.seconds)
        context.trace.say(.verbose, "Bytes per second: sent \(sent), received \(received)")
    }

    private func keepalive() -> Keepalive? {
        guard options.serverAliveInterval > 0 else { return nil }
        return Keepalive(
            session: loggedIn.session,
            interval: .seconds(options.serverAliveInterval),
            countMax: options.serverAliveCountMax,
            host: options.hostname,
            now: context.poller.now
        )
    }

    // MARK: - A session

    private func runSession() throws -> Int32 {
        let before = readClock()
        loggedIn.channels.beginSession()
        let request = request()
        let start = SessionStart(request, on: loggedIn.session, trace: context.trace)
        let channel = try start.wait(in: context.poller)
        markPackets(isInteractive: plan.wantsTerminal || request.x11 != nil)
        let terminal = plan.wantsTerminal ? try TerminalSession(self, channel) : nil
        defer { terminal?.end() }
        if options.forkAfterAuthentication { try goToBackground() }
        let output: any ByteEndpoint = StandardStream(1, .output)
        let relay = Relay(
            channel: channel,
            input: options.stdinNull ? NullInput() : StandardStream(0, .input),
            output: hintWatch.map { $0.over(output) } ?? output,
            errorOutput: StandardStream(2, .output),
            escapes: terminal?.escapes,
            trace: context.trace
        )
        let loop = loop(channel, relay, roundTrip: readClock() - before)
        loop.onEscape = { action in try terminal?.handle(action, relay) }
        var ending = try loop.run()
        terminal?.end()
        loggedIn.channels.endSession()
        if case .closed = ending {
            let limit = readClock() + Work.answersLimit
            try awaitForwards(until: limit, for: \.isSettled)
        }
        if case .closed = ending, let signal = try loop.linger(for: loggedIn.channels) {
            ending = .killed(signal)
        }
        if plan.wantsTerminal, ending != .killed(.hangup) {
            context.trace.say(.info, "Connection to \(options.hostname) closed.")
        }
        return status(of: ending)
    }

    private func request() -> SessionRequest {
        var request = SessionRequest(task: plan.task)
        request.x11 = loggedIn.access.x11Request()
        request.forwardsAgent = loggedIn.access.hasAgent
        if plan.wantsTerminal {
            let size = WindowSize.of(0) ?? WindowSize(columns: 0, rows: 0)
            request.pty = SessionRequest.Pty(
                term: options.setVariables.last { $0.name == "TERM" && !$0.value.isEmpty }?.value
                    ?? context.environment["TERM"] ?? "",
                size: size,
                modes: SessionRequest.Pty.modes(of: 0),
                isRequired: options.requestTTY == .yes || options.requestTTY == .force
            )
        }
        request.environment =
            context.environment.filter { options.sends(variable: $0.key) }
            .map { (name: $0.key, value: $0.value) } + options.setVariables
        return request
    }

    private func loop(_ channel: any Channel, _ relay: Relay, roundTrip: Duration) -> SessionLoop {
        SessionLoop(
            session: loggedIn.session,
            channel: channel,
            relay: relay,
            roundTrip: roundTrip,
            poller: context.poller,
            trace: context.trace
        )
    }

    private func status(of ending: SessionLoop.Ending) -> Int32 {
        switch ending {
        case .closed(let status):
            context.trace.debug(.debug1, .channel, "Exit status \(status ?? -1)")
            return status.map { Int32(truncatingIfNeeded: $0) } ?? Work.failure
        case .disconnected:
            return Work.failure
        case .killed(let signal):
            context.trace.say(.verbose, "Killed by signal \(signal.rawValue).")
            return Work.failure
        }
    }

    /// As OpenSSH, our own messages are silent from here on unless `-v` asks for them.
    func goToBackground() throws {
        if let forked { forked.letGo() } else { try continueInBackground() }
        if context.trace.level < .debug1 { context.trace.sink = { _ in } }
    }

    /// IPQoS: until the task is known all connections count as interactive.
    private func markPackets(isInteractive: Bool) {
        let value = isInteractive ? options.ipqos.interactive : options.ipqos.bulk
        if let value { loggedIn.session.setTrafficClass(Int32(value)) }
    }

    // MARK: - Without a session

    private func runForward(_ host: String, _ port: Int) throws -> Int32 {
        let channel = loggedIn.session.openDirectTCP(host: host, port: UInt16(clamping: port))
        do {
            _ = try context.poller.wait { try channel.open() }
        } catch let SSHError.openRefused(code, text) {
            throw ForwardRefused(code: code, text: text)
        }
        let relay = Relay(
            channel: channel,
            input: options.stdinNull ? NullInput() : StandardStream(0, .input),
            output: StandardStream(1, .output),
            errorOutput: nil,
            escapes: nil,
            trace: context.trace
        )
        let ending = try loop(channel, relay, roundTrip: .zero).run()
        if case .closed = ending { return 0 }
        return status(of: ending)
    }

    /// `-N`: stdout is given away, as whoever waits for its end takes that for "connected".
    private func hold() throws -> Int32 {
        redirectToNull(1)
        let options = options
        if !options.localForwards.isEmpty || !options.remoteForward.isEmpty {
            loggedIn.session.prepareForwards()
        }
        markPackets(isInteractive: options.controlMaster == .no)
        if options.forkAfterAuthentication {
            try goToBackground()
            giveStreamsAway()
        }
        return try stay()
    }

    /// Goes on without a session until a signal or the link's end.
    func stay() throws -> Int32 {
        SessionLoop.endingSignals.forEach {
            context.poller.signals.catchSignal($0, unlessIgnored: true)
        }
        while true {
            if let failure = loggedIn.session.failure { throw failure }
            try context.poller.turn()
            for signal in SessionLoop.endingSignals where context.poller.signals.take(signal) {
                context.trace.say(.verbose, "Killed by signal \(signal.rawValue).")
                return signal == .terminate ? 0 : Work.failure
            }
        }
    }
}

/// A number with one decimal.
private func tenths(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    // Something over no time at all has no number.
    guard let whole = Int64(exactly: tenths) else { return "0.0" }
    return "\(whole / 10).\(whole % 10)"
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// Says that the server would not connect `-W` to its target.
struct ForwardRefused: Fault {
    let code: UInt32
    let text: String
    var layer: Layer { .channel }
    var summary: String { "the server could not connect to the target: \(text)" }
    var words: [String]? {
        [ForwardWords.openFailed(0, code, text), "stdio forwarding failed"]
    }
}
