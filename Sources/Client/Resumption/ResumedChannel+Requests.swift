internal import Posix
internal import Resume
internal import SSH

/// What a session channel is asked for, and what is put into it.
extension ResumedChannel {
    func open() throws(SSHError) -> Attempt<Void> { try link?.open() ?? .done(()) }

    /// The remote half's affair, or a plain channel's later.
    func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        let size = WindowSize(
            columns: UInt32(clamping: columns),
            rows: UInt32(clamping: rows)
        )
        request.pty = SessionRequest.Pty(
            term: term,
            size: size,
            modes: modes,
            isRequired: false
        )
        return .done(true)
    }

    func requestX11(
        protocol name: String,
        cookie: String,
        screen: UInt32
    ) throws(SSHError) -> Attempt<Bool> {
        try link?.requestX11(protocol: name, cookie: cookie, screen: screen) ?? .done(false)
    }

    func requestAgent() {
        request.forwardsAgent = true
        link?.requestAgent()
    }

    func setEnvironment(_ name: String, _ value: String) throws(SSHError) -> Attempt<Bool> {
        let answer = try link?.setEnvironment(name, value) ?? .done(false)
        if case .done = answer { request.environment.append((name: name, value: value)) }
        return answer
    }

    func shell() throws(SSHError) -> Attempt<Bool> { try begin(.shell) }

    func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> {
        try begin(.command(command))
    }

    func subsystem(_ name: String) throws(SSHError) -> Attempt<Bool> {
        try begin(.subsystem(Array(name.utf8)))
    }

    /// Asks for a remote half for forwarded connections alone; it may turn out to be lost.
    func holdForwards() throws(SSHError) -> Attempt<Bool> { try begin(.hold) }

    /// Asks for a connection to the host's own sshd, by the remote half; it may turn out to be lost.
    func relay() throws(SSHError) -> Attempt<Bool> { try begin(.forward(host: "", port: 0)) }

    /// Asks for the remote half, or without one for the task itself.
    private func begin(_ task: Plan.Task) throws(SSHError) -> Attempt<Bool> {
        switch phase {
        case .asking:
            request.task = task
            return try askForRemoteHalf()
        case .resumable: return session?.started == .yes ? .done(true) : .again
        case .becomingPlain(let start): return try goOn(start)
        case .plain, .lost: return .done(true)
        }
    }

    private func askForRemoteHalf() throws(SSHError) -> Attempt<Bool> {
        guard let link else {
            // It went with its connection, and nothing was begun.
            phase = .lost
            throw carrier.failure ?? .openRefused(code: 2, text: "the connection broke")
        }
        let answer = try link.execute(Array(Bootstrap.command.utf8))
        guard case .done(let isGranted) = answer else { return .again }
        if isGranted {
            let now = readClock()
            var random = SystemRandomNumberGenerator()
            session =
                joins.map { ResumeSession(joining: $0, now: now) }
                ?? ResumeSession(
                    ResumeSession.Identity(using: &random),
                    start: resumeStart(),
                    now: now
                )
            phase = .resumable
            adopt(link, now)
            pump(now)
        } else {
            // The server runs no commands; perhaps it has what was asked for.
            self.link = nil
            if joins == nil { becomePlain() } else { lose("the account runs no commands") }
        }
        return .again
    }

    private func goOn(_ start: SessionStart) throws(SSHError) -> Attempt<Bool> {
        do {
            guard case .done(let channel) = try start.step() else { return .again }
            phase = .plain(channel)
            unsafe channel.onData = onData
            return .done(true)
        } catch let error as SSHError {
            throw error
        } catch {
            return .done(false)
        }
    }

    private func resumeStart() -> ResumeSession.Start {
        var start: ResumeSession.Start
        switch request.task {
        case .command(let command):
            start = ResumeSession.Start(.command)
            start.command = command
        case .subsystem(let name):
            start = ResumeSession.Start(.subsystem)
            start.command = name
        case .shell:
            start = ResumeSession.Start(.shell)
            start.wantsMotd = true
        case .hold: start = ResumeSession.Start(.forwards)
        case .forward(let host, let port):
            start = ResumeSession.Start(.relay)
            start.command = Array(host.utf8)
            start.port = UInt16(clamping: port)
        }
        start.linksAgent = request.forwardsAgent
        start.pty = request.pty.map { pty in
            ResumeSession.Start.Pty(
                term: pty.term,
                modes: pty.modes,
                size: ResumeSession.Size(
                    columns: UInt32(pty.size.columns),
                    rows: UInt32(pty.size.rows)
                )
            )
        }
        settings.apply(to: &start)
        return start
    }

    // MARK: - While it runs

    func changeWindow(columns: Int, rows: Int) {
        if case .plain(let channel) = phase {
            return channel.changeWindow(columns: columns, rows: rows)
        }
        session?.resize(
            ResumeSession.Size(
                columns: UInt32(clamping: columns),
                rows: UInt32(clamping: rows)
            )
        )
        flush()
    }

    func sendBreak(_ milliseconds: UInt32) {
        if case .plain(let channel) = phase { return channel.sendBreak(milliseconds) }
        session?.sendBreak(milliseconds)
        flush()
    }

    func sendSignal(_ name: String) {
        if case .plain(let channel) = phase { return channel.sendSignal(name) }
        session?.signal(name)
        flush()
    }

    var canWrite: Bool {
        switch phase {
        case .plain(let channel): channel.canWrite
        case .resumable: room > 0
        case .asking, .becomingPlain, .lost: false
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int {
        if case .plain(let channel) = phase { return try unsafe channel.write(bytes) }
        guard case .resumable = phase else { throw .refused("the session is lost") }
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(room))
        let elements = unsafe part.assumingMemoryBound(to: UInt8.self)
        let taken = session?.send(unsafe elements.span) ?? 0
        flush()
        return taken
    }

    func sendEOF() {
        if case .plain(let channel) = phase { return channel.sendEOF() }
        session?.end()
        flush()
    }

    func close() -> Attempt<Void> {
        if case .plain(let channel) = phase { return channel.close() }
        session?.stopOutput()
        flush()
        return .done(())
    }
}
