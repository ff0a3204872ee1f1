internal import AWS
internal import Faults
internal import NIOCore
internal import Posix
internal import SessionManager

/// One session from its start to its end: what is asked of AWS, and one websocket after the other.
struct SessionRun {
    private let parameters: SystemsManagerParameters
    private let control: TunnelControl
    private let caller: any ServiceCaller
    private let tunnel: NIOLoopBound<SessionTunnel>
    private var session: ManagedSession

    /// Starts the session.
    init(
        _ parameters: SystemsManagerParameters,
        _ load: NIOLoopBound<any SessionLoad>,
        _ control: TunnelControl,
        _ caller: any ServiceCaller
    ) async throws(WayError) {
        self.parameters = parameters
        self.control = control
        self.caller = caller
        let started = try await SessionStart.start(parameters, control, caller)
        session = started.session
        let milliseconds = UInt64(clamping: caller.now.seconds) * 1000
        let observer = SessionObserver(parameters, started.session.id, control, caller)
        tunnel = await load.with { load in
            let channel = DataChannel(
                started.purpose,
                now: readClock(),
                milliseconds: milliseconds
            )
            return SessionTunnel(load, channel, observer)
        }
        let tunnel = tunnel
        observer.onKey { key in tunnel.execute { $0.take(key) } }
    }

    /// Carries bytes until the session is over.
    mutating func carry() async throws(WayError) {
        let tunnel = tunnel
        control.onStop { tunnel.execute { $0.endInband() } }
        control.onOrder { order in tunnel.execute { $0.obey(order) } }
        TunnelLoop.loop.scheduleTask(in: parameters.opening.amount) {
            tunnel.value.giveUpUnlessOpen()
        }
        var outcome = await attach()
        if case .lost(let error) = outcome, await !tunnel.get(\.isOpen) {
            await terminate()
            throw WayError(error, to: "session \(session.id)")
        }
        while case .lost(let error) = outcome { outcome = try await resume(after: error) }
        switch outcome {
        case .over(let ending):
            guard await isOrdinary(ending) else { throw ending.fault(parameters) }
            control.say("Session \(session.id) is over\(ending.lastWords).")
        case .stopped, .lost: await terminate()
        }
    }

    /// Whether a session may end so after it has been of use.
    private func isOrdinary(_ ending: DataChannel.Ending) async -> Bool {
        guard case .byPeer(let text) = ending else { return false }
        switch parameters.target {
        case .server: return await tunnel.get(\.hasBeenGreeted)
        case .port: return await tunnel.get(\.isOpen)
        // A shell's last words are its output; what is said besides is an error.
        case .shell, .command: return await tunnel.get(\.hasBeenGreeted) && text.isEmpty
        }
    }

    // MARK: - Websockets

    /// Opens a websocket, and waits until it or the session is over.
    private func attach() async -> SessionTunnel.Outcome {
        let next = TunnelLoop.loop.makePromise(of: SessionTunnel.Outcome.self)
        let token = session.token
        tunnel.execute { $0.prepare(token: token, next) }
        let opening = Task {
            do throws(WebSocketError) {
                try await open()
            } catch {
                next.succeed(.lost(error))
            }
        }
        defer { opening.cancel() }
        return (try? await next.futureResult.get()) ?? .stopped
    }

    private func open() async throws(WebSocketError) {
        let access = caller.access
        let url = StreamAddress.checked(
            session.streamURL,
            endpoint: access.endpoints[.ssmMessages]
        )
        guard let url else {
            throw .untrusted(
                "its address is not AWS's: \(visible(session.streamURL.utf8.prefix(200)))"
            )
        }
        let request: WebSocketRequest
        do throws(ServiceError) {
            request = try await StreamAddress.request(url, caller)
        } catch {
            throw .lost(error.summary)
        }
        let user = await tunnel.with { $0 as any WebSocketUser }
        try await request.open(access, parameters.timing, for: user)
    }

    /// Takes the session up again, with new credentials if need be, until that works.
    private mutating func resume(
        after error: WebSocketError
    ) async throws(WayError) -> SessionTunnel.Outcome {
        control.say("Session \(session.id): websocket lost: \(error.summary)")
        let deadline = readClock() + parameters.resuming
        var last = WayError(error, to: "session \(session.id)")
        var delay = Duration.zero
        while readClock() < deadline {
            if await !pause(delay) { return .stopped }
            // Twice as long each time, as AWS's client; with jitter, as one is never alone.
            let jitter = Double.random(in: 0.75...1.25)
            delay = min(max(delay * 2, .milliseconds(100)), .seconds(5)) * jitter
            do throws(ServiceError) {
                guard let resumed = try await caller.resumeSession(session.id) else { throw gone }
                session.token = resumed.token
                session.streamURL = resumed.streamURL
            } catch {
                last = WayError(error)
                if error.kind == .notFound { throw last }
                control.say("Session \(session.id): \(error.summary)")
                continue
            }
            let outcome = await attach()
            guard case .lost(let error) = outcome, await !tunnel.get(\.hasMoved) else {
                return outcome
            }
            last = WayError(error, to: "session \(session.id)")
            control.say("Session \(session.id): websocket lost: \(error.summary)")
        }
        throw last
    }

    private var gone: ServiceError {
        ServiceError(.notFound, "session \(session.id) has ended: it was idle or open too long")
    }

    /// - Returns: false when nobody wants the session any more.
    private func pause(_ time: Duration) async -> Bool {
        let next = TunnelLoop.loop.makePromise(of: SessionTunnel.Outcome.self)
        tunnel.execute { $0.prepare(token: "", next) }
        TunnelLoop.loop.scheduleTask(in: time.amount) { next.succeed(.lost(.silent)) }
        if case .lost? = try? await next.futureResult.get() { return true }
        return false
    }

    /// Ends the session at AWS, so that it does not count against the account's.
    private func terminate() async {
        do throws(ServiceError) {
            try await caller.terminateSession(session.id)
            control.say("Session \(session.id) is terminated.")
        } catch {
            control.say("Session \(session.id): \(error.summary)")
        }
    }
}
