internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// The forwards that listen on the server's side (RemoteForward).
///
/// Requests go out in order and are answered in the loop; a connection may come before the answer
/// to its request, so a forward counts from when it was asked for, as in OpenSSH.
final class RemoteForwards: Source {
    /// One forward that was asked for and not refused.
    private final class Entry {
        let forward: Forward
        let host: String
        /// The port that was asked for, then the one the server chose.
        var port: UInt16
        let done: (Result<Int, ForwardFault>) throws(ForwardFault) -> Void

        init(
            _ forward: Forward,
            host: String,
            port: UInt16,
            done: @escaping (Result<Int, ForwardFault>) throws(ForwardFault) -> Void
        ) {
            self.forward = forward
            self.host = host
            self.port = port
            self.done = done
        }

        /// Whether a cancellation means this one.
        func isMeant(by host: String?, _ port: Int) -> Bool {
            guard case .tcp(let own, let wanted) = forward.listener else { return false }
            return own == host && (wanted == port || Int(self.port) == port)
        }
    }

    let deadline: Instant? = nil

    private unowned let loggedIn: LoggedIn
    private let permits: RemoteOpenPermission
    private var entries: [Entry] = []
    /// Those of them that the server has not answered.
    private var asked: [Entry] = []
    private var cancelled: [Entry] = []
    private var isInLoop = false

    private var session: any ChannelCarrier { loggedIn.session }
    private var trace: Trace { loggedIn.context.trace }

    init(over loggedIn: LoggedIn) {
        self.loggedIn = loggedIn
        permits = RemoteOpenPermission(loggedIn.plan.options.permitRemoteOpen)
        loggedIn.session.serverChannels.onForwardedTCP = { [weak self] request in
            self?.take(request)
        }
    }

    /// Whether every request has been answered.
    var isSettled: Bool { asked.isEmpty }

    /// Whether every request has been sent; the session sends one when the last was answered.
    var isSent: Bool { asked.count <= 1 }

    // MARK: - Opening

    /// Asks for a forward of the configuration, whose failure is said or ends the run.
    func openConfigured(_ forward: Forward, exits: Bool) throws(ForwardFault) {
        guard case .tcp(let host, let port) = forward.listener else {
            let fault = ForwardFault.refused(forward.listener)
            if exits { throw fault }
            trace.say(.info, fault.warning)
            trace.say(.info, "ec2sh: hint: \(ForwardFault.unixAdvice)")
            return
        }
        trace.debug(
            .debug1,
            .channel,
            "Remote connections from \(host ?? "LOCALHOST"):\(port) forwarded to local address "
                + "\(forward.destination.name):\(forward.destination.number)"
        )
        ask(forward, host, port) { [trace] result throws(ForwardFault) in
            guard case .failure(let fault) = result else { return }
            if exits { throw fault }
            trace.say(.info, fault.warning)
        }
    }

    /// Asks for a forward; `done` is called once with the port, or why there is none.
    func open(_ forward: Forward, done: @escaping (Result<Int, ForwardFault>) -> Void) {
        guard case .tcp(let host, let port) = forward.listener else {
            return done(.failure(.refused(forward.listener)))
        }
        ask(forward, host, port) { result throws(ForwardFault) in done(result) }
    }

    private func ask(
        _ forward: Forward,
        _ host: String?,
        _ port: Int,
        done: @escaping (Result<Int, ForwardFault>) throws(ForwardFault) -> Void
    ) {
        let entry = Entry(
            forward,
            host: RemoteForwards.wireName(host),
            port: UInt16(clamping: port),
            done: done
        )
        entries.append(entry)
        asked.append(entry)
        enterLoop()
        session.beginListening(host: entry.host, port: entry.port)
    }

    /// What stands for a bind address in the request.
    ///
    /// C: `channel_rfwd_bind_host`.
    private static func wireName(_ host: String?) -> String {
        switch host {
        case nil: "localhost"
        case "*": ""
        case let host?: host
        }
    }

    // MARK: - Cancelling

    /// Ends a forward; its connections go on.
    func cancel(_ listener: Forward.Listener) -> Bool {
        guard case .tcp(let host, let port) = listener,
            let index = entries.firstIndex(where: { $0.isMeant(by: host, port) })
        else { return false }
        cancelled.append(entries.remove(at: index))
        enterLoop()
        return true
    }

    // MARK: - Source

    private func enterLoop() {
        if !isInLoop { loggedIn.context.poller.add(self) }
        isInLoop = true
    }

    func watch(_ set: inout PollSet) {}

    func ready(_ set: PollSet, now: Instant) throws {
        guard session.failure == nil else { return }
        while let entry = asked.first {
            let answer: Result<UInt16, SSHError>
            do throws(SSHError) {
                guard case .done(let port) = try session.listen(host: entry.host, port: entry.port)
                else { break }
                answer = .success(port)
            } catch {
                answer = .failure(error)
            }
            asked.removeFirst()
            try settle(entry, answer)
        }
        // One that was not answered yet is cancelled when it is.
        cancelled.removeAll { entry in
            guard !asked.contains(where: { $0 === entry }) else { return false }
            let answer = try? session.cancelListen(host: entry.host, port: entry.port)
            if case .again = answer { return false }
            return true
        }
        if asked.isEmpty && cancelled.isEmpty {
            isInLoop = false
            loggedIn.context.poller.remove(self)
        }
    }

    private func settle(_ entry: Entry, _ answer: Result<UInt16, SSHError>) throws(ForwardFault) {
        let target = entry.forward.destination
        let listener = entry.forward.listener
        switch answer {
        case .success(let port):
            debug("success", listener, target)
            if entry.port == 0 {
                trace.say(
                    .info,
                    "Allocated port \(port) for remote forward to \(target.name):\(target.number)"
                )
            }
            entry.port = port
            try entry.done(.success(Int(port)))
        case .failure:
            debug("failure", listener, target)
            entries.removeAll { $0 === entry }
            cancelled.removeAll { $0 === entry }
            try entry.done(.failure(.refused(listener)))
        }
    }

    private func debug(
        _ outcome: String,
        _ listener: Forward.Listener,
        _ target: Forward.Destination
    ) {
        guard case .tcp(let host, let port) = listener else { return }
        let shown = host.map { "\($0):" } ?? ""
        trace.debug(
            .debug1,
            .channel,
            "remote forward \(outcome) for: listen \(shown)\(port), "
                + "connect \(target.name):\(target.number)"
        )
    }

    // MARK: - Connections

    private func take(_ request: ServerChannelRequest) -> ((any Channel) -> Void)? {
        guard let listener = request.listener,
            let entry = entries.first(where: {
                $0.port == listener.port && $0.host == listener.host
            })
        else {
            let port = request.listener?.port ?? 0
            trace.say(
                .error,
                "WARNING: Server requests forwarding for unknown listen_port \(port)"
            )
            return nil
        }
        let loggedIn = loggedIn
        let names = ForwardedConnection.Names(
            kind: "forwarded-tcpip",
            listeningPort: Int(listener.port),
            origin: request.originHost
        )
        switch entry.forward.destination {
        case .tcp(let host, let port):
            return {
                let place = LocalTarget.Place.tcp(host: host, port: UInt16(clamping: port))
                ForwardedConnection.begin($0, to: place, names: names, over: loggedIn)
            }
        case .unix(let path):
            return {
                ForwardedConnection.begin($0, to: .unix(path: path), names: names, over: loggedIn)
            }
        case .socks:
            if permits == .none { return nil }
            return { [permits] in
                ForwardedConnection.beginDynamic($0, names: names, over: loggedIn) {
                    permits.allows($0, $1)
                }
            }
        }
    }
}
