internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// One client of a master, from its connection to the control socket to its end.
///
///     greeting ── HELLO ──▶ listening ◀──▶ collecting descriptors, asking the user
///                               │  ▲             │
///                               ▼  └─────────────┴──▶ waiting for the server ──▶ listening
///                            leaving ── all is written ──▶ gone
///
/// It never waits: a client that says nothing, or reads nothing, is only a descriptor.
final class MuxGuest: ChannelUser {
    let description = "mux-control"
    let keepsConnection = true
    let deadline: Instant? = nil

    private enum State {
        /// Nothing but HELLO is taken.
        case greeting
        /// The next request can be taken.
        case listening
        /// Descriptors of a request are still to come.
        case collecting(MuxRequest, count: Int)
        /// The user is being asked for permission.
        case asking(MuxRequest, Helper<Bool>)
        /// An answer depends on the server.
        case waiting
        /// All was said; what is left is to write it.
        case leaving
    }

    private let socket: MuxSocket
    private unowned let master: MuxMaster
    private var state = State.greeting
    private var streams: [StandardStream] = []
    private var ride: MuxRide?
    private var slot: PollSet.Slot?
    private var helperSlot: PollSet.Slot?
    private var endsMaster = false
    private var isSettling = false

    private var loggedIn: LoggedIn { master.loggedIn }
    private var options: Options { loggedIn.plan.options }
    private var trace: Trace { loggedIn.context.trace }

    /// Takes a client in and greets it.
    /// - Parameters:
    ///   - socket: its connection.
    ///   - master: whose client it is.
    init(_ socket: MuxSocket, of master: MuxMaster) {
        self.socket = socket
        self.master = master
        socket.send(MuxReply.hello(MuxHello(extensions: [MuxHello.proxyAnswers])).body)
    }

    // MARK: - Source

    func watch(_ set: inout PollSet) {
        helperSlot = nil
        if case .asking(_, let helper) = state { helperSlot = set.watch(helper.number, .read) }
        if let events { slot = set.watch(socket.number, events) }
    }

    /// Who does not read its answers is not asked for more requests.
    private var events: Events? {
        if socket.hasOutput { return .write }
        return switch state {
        case .greeting, .listening, .collecting: .read
        // A request, or the client's end, stays where it is.
        case .asking, .waiting, .leaving: nil
        }
    }

    func ready(_ set: PollSet, now: Instant) { settle() }

    /// Goes on as far as possible; called as well when something else has changed the state.
    private func settle() {
        // What is called from here goes on here.
        if isSettling { return }
        isSettling = true
        defer { isSettling = false }
        do {
            try socket.flush()
            while !socket.hasOutput, try goOn() { try socket.flush() }
        } catch {
            trace.debug(.debug2, .local, "mux client: \(error)")
            leave()
        }
    }

    /// Does one step.
    /// - Returns: whether another may be possible.
    private func goOn() throws -> Bool {
        switch state {
        case .greeting, .listening: return try takeRequest()
        case .collecting(let request, let count): return try takeDescriptor(request, count)
        case .asking(let request, let helper):
            guard let isAllowed = helper.take() else { return false }
            state = .listening
            if isAllowed { try perform(request) } else { refuse(request) }
            return true
        case .waiting: return false
        case .leaving:
            if endsMaster { master.terminate() }
            leave()
            return false
        }
    }

    /// The client has gone, or is to go: what it has started ends with it.
    private func leave() {
        ride?.abandon()
        ride?.onEnd = { [master, weak ride] _ in if let ride { master.finish(ride) } }
        loggedIn.channels.remove(self)
    }

    // MARK: - Requests

    private func takeRequest() throws -> Bool {
        let body: [UInt8]
        switch try socket.receive() {
        case .nothing: return false
        case .end:
            leave()
            return false
        case .message(let message): body = message
        }
        do {
            let request = try MuxRequest(body)
            trace.debug(.debug3, .local, "mux request: \(request)")
            try take(request)
        } catch let error as MuxMalformed {
            trace.say(.error, "mux_master_read_cb: malformed message: \(error.what)")
            leave()
            return false
        }
        return true
    }

    private func take(_ request: MuxRequest) throws {
        switch (state, request) {
        case (.greeting, .hello(let hello)) where hello.version == MuxHello.spokenVersion:
            state = .listening
        case (.greeting, .hello(let hello)):
            trace.say(
                .error,
                "mux_master_process_hello: unsupported multiplexing protocol version "
                    + "\(hello.version) (expected \(MuxHello.spokenVersion))"
            )
            leave()
        case (.greeting, _):
            trace.say(.error, "mux_master_read_cb: expected MUX_MSG_HELLO")
            leave()
        case (_, .hello):
            trace.say(.error, "mux_master_process_hello: HELLO received twice")
            leave()
        case (_, .newSession): state = .collecting(request, count: 3)
        case (_, .newStdioForward): state = .collecting(request, count: 2)
        default: try begin(request)
        }
    }

    private func takeDescriptor(_ request: MuxRequest, _ count: Int) throws -> Bool {
        do throws(SystemError) {
            switch try socket.receiveDescriptor() {
            case .again: return false
            case .descriptor(let descriptor):
                streams.append(
                    StandardStream(passed: descriptor, streams.isEmpty ? .input : .output)
                )
            }
        } catch {
            trace.say(.error, "mux_master: failed to receive fd \(streams.count) from client")
            streams = []
            fail(request, "did not receive file descriptors")
            state = .leaving
            return true
        }
        if streams.count < count { return true }
        state = .listening
        if ride != nil {
            streams = []
            fail(request, "Multiple sessions not supported")
        } else {
            try begin(request)
        }
        return true
    }

    /// Performs a request, after the user was asked if that is wanted (ControlMaster ask).
    private func begin(_ request: MuxRequest) throws {
        guard options.controlMaster == .ask || options.controlMaster == .autoAsk,
            let question = question(for: request)
        else { return try perform(request) }
        let environment = loggedIn.context.environment
        // An askpass program waits for a person; the loop does not.
        let helper = try Helper {
            Prompter(environment: environment, trace: Trace { _ in }).askPermission(question)
        }
        state = .asking(request, helper)
    }

    private func question(for request: MuxRequest) -> String? {
        let host = options.hostname
        switch request {
        case .newSession: return "Allow shared connection to \(host)? "
        case .terminate: return "Terminate shared connection to \(host)? "
        case .openForward(_, let forward):
            let text = forward.description(gatewayPorts: options.gatewayPorts)
            return "Open \(text) on \(host)?"
        case .newStdioForward(_, let target, let port):
            return "Allow forward to \(target):\(port)? "
        case .stopListening:
            return "Disable further multiplexing on shared connection to \(host)? "
        case .proxy: return "Allow multiplex proxy connection?"
        case .hello, .aliveCheck, .closeForward, .unknown: return nil
        }
    }

    private func perform(_ request: MuxRequest) throws {
        switch request {
        case .hello: break
        case .aliveCheck(let id): say(.alive(id: id, pid: UInt32(bitPattern: processID())))
        case .terminate(let id):
            say(.ok(id: id))
            endsMaster = true
            state = .leaving
        case .stopListening(let id):
            master.stop()
            say(.ok(id: id))
        case .newSession(let id, let session): startSession(id, session)
        case .newStdioForward(let id, let host, let port): startForward(id, host, port)
        case .openForward(let id, let forward): openForward(id, forward)
        case .closeForward(let id, let forward): say(master.forwards.close(forward, id))
        case .proxy(let id): beProxied(id)
        case .unknown: fail(request, "unsupported request")
        }
    }

    // MARK: - Answers

    private func say(_ reply: MuxReply) { socket.send(reply.body) }

    /// Says something from outside the loop's own call.
    private func tell(_ reply: MuxReply) {
        say(reply)
        settle()
    }

    private func fail(_ request: MuxRequest, _ reason: String) {
        say(.failure(id: request.id, reason: reason))
    }

    private func refuse(_ request: MuxRequest) {
        streams = []
        say(.permissionDenied(id: request.id, reason: "Permission denied"))
    }

    // MARK: - Proxy

    /// From here on the socket has another protocol, and the client another keeper.
    private func beProxied(_ id: UInt32) {
        if ride != nil { return say(.failure(id: id, reason: "Multiple sessions not supported")) }
        trace.debug(.debug1, .local, "mux_master_process_proxy: proxy request")
        say(.proxyGranted(id: id))
        state = .waiting
        loggedIn.channels.remove(self)
        master.begin(MuxProxy(socket, of: master))
    }

    // MARK: - Forwards

    private func openForward(_ id: UInt32, _ forward: MuxForward) {
        state = .waiting
        master.forwards.open(forward, id) { [weak self] reply in self?.answer(reply) }
    }

    // MARK: - Rides

    private func takeStreams() -> MuxRide.Streams {
        defer { streams = [] }
        return MuxRide.Streams(
            input: streams[0],
            output: streams[1],
            errorOutput: streams.count > 2 ? streams[2] : nil
        )
    }

    private func startSession(_ id: UInt32, _ session: MuxSession) {
        let streams = takeStreams()
        let request = sessionRequest(session, terminal: streams.input.number)
        let start = SessionStart(request, on: loggedIn.session, trace: trace)
        var isOpen = false
        let ride = MuxRide(
            "client-session",
            on: streams,
            escapes: escapes(session),
            trace: trace
        ) { try start.step() }
        ride.hasTerminal = session.wantsTerminal
        ride.listing = { [loggedIn] in loggedIn.channels.listing }
        ride.onRekey = { [loggedIn] in loggedIn.session.requestRekey() }
        let number = master.begin(ride)
        start.onOpen = { [weak self] in
            isOpen = true
            self?.answer(.sessionOpened(id: id, session: number))
        }
        start.onPtyRefused = { [weak self, weak ride] in
            ride?.hasTerminal = false
            ride?.show("PTY allocation request failed\r\n")
            self?.tell(.ttyAllocationFailed(session: number))
        }
        ride.onFailure = { [weak self, weak ride] error in
            if !isOpen {
                self?.refuseRide(id)
            } else if case ChannelFault.requestRefused(let name) = error {
                ride?.show("\(name) request failed\r\n")
            }
        }
        board(ride, number, wasOpened: { isOpen })
    }

    private func startForward(_ id: UInt32, _ host: String, _ port: UInt32) {
        let channel = loggedIn.session.openDirectTCP(
            host: host,
            port: UInt16(clamping: port)
        )
        var isOpen = false
        let ride = MuxRide("stdio-forward", on: takeStreams(), trace: trace) {
            guard case .done = try channel.open() else { return .again }
            return .done(channel)
        }
        let number = master.begin(ride)
        ride.onStart = { [weak self] in
            isOpen = true
            self?.answer(.sessionOpened(id: id, session: number))
        }
        ride.onFailure = { [weak self] _ in
            if !isOpen {
                self?.refuseRide(id)
            }
        }
        board(ride, number, wasOpened: { isOpen })
    }

    private func board(_ ride: MuxRide, _ number: UInt32, wasOpened: @escaping () -> Bool) {
        self.ride = ride
        state = .waiting
        ride.onEnd = { [weak self, weak ride] status in
            guard let self, let ride else { return }
            master.finish(ride)
            self.ride = nil
            guard wasOpened() else { return }
            if let status {
                say(.exitMessage(session: number, status: UInt32(truncatingIfNeeded: status)))
            }
            state = .leaving
            settle()
        }
        ride.depart()
    }

    private func refuseRide(_ id: UInt32) {
        ride = nil
        answer(.failure(id: id, reason: "Session open refused by peer"))
    }

    /// Says what a request that waited for the server came to.
    private func answer(_ reply: MuxReply) {
        state = .listening
        tell(reply)
    }

    private func sessionRequest(_ session: MuxSession, terminal: Int32?) -> SessionRequest {
        let task: Plan.Task =
            if session.isSubsystem {
                .subsystem(session.command)
            } else {
                session.command.isEmpty ? .shell : .command(session.command)
            }
        var request = SessionRequest(task: task)
        if session.wantsX11 { request.x11 = loggedIn.access.x11Request() }
        request.forwardsAgent = session.wantsAgent && loggedIn.access.hasAgent
        if session.wantsTerminal {
            request.pty = SessionRequest.Pty(
                term: session.term,
                size: terminal.flatMap(WindowSize.of) ?? WindowSize(columns: 0, rows: 0),
                modes: SessionRequest.Pty.modes(of: terminal ?? -1),
                isRequired: false
            )
        }
        request.environment = session.environment.compactMap { entry in
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else {
                return nil
            }
            let name = String(entry[..<equals])
            guard options.sends(variable: name) else { return nil }
            return (name: name, value: String(entry[entry.index(after: equals)...]))
        }
        return request
    }

    private func escapes(_ session: MuxSession) -> EscapeFilter? {
        guard session.wantsTerminal, let character = UInt8(exactly: session.escape) else {
            return nil
        }
        var setting = EscapeFilter.Setting(character: character)
        setting.isMultiplexed = true
        return EscapeFilter(setting)
    }
}

extension MuxRequest {
    /// What the answer is told by; 0 for HELLO, which has none.
    fileprivate var id: UInt32 {
        switch self {
        case .hello: 0
        case .newSession(let id, _), .aliveCheck(let id), .terminate(let id),
            .openForward(let id, _), .closeForward(let id, _), .newStdioForward(let id, _, _),
            .stopListening(let id), .proxy(let id), .unknown(let id, _):
            id
        }
    }
}
