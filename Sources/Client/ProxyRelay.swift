internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// Carries the connection of another ssh to an instance's sshd from the instance itself: by a login of
/// our own, whose remote half keeps its end while links break.
///
///     ssh ── pipe ── ec2sh ══ login ══ remote half ── TCP ── sshd
///
/// Nobody is asked for anything, and nothing of the ssh above is read before it all stands: until then
/// another way can carry it.
struct ProxyRelay {
    private let search: LoginSearch
    private let context: Context

    /// - Parameters:
    ///   - search: finds the login; as the ssh above, it checks the host key.
    ///   - context: what the run shares.
    init(_ search: LoginSearch, in context: Context) {
        self.search = search
        self.context = context
    }

    /// Carries the connection until it ends.
    /// - Parameter prepare: called once it can be carried.
    /// - Returns: the exit status; nil when it has to be carried in another way.
    /// - Throws: what ended it.
    func run(prepare: () throws -> Void) throws -> Int32? {
        guard let carrier = logIn() else { return nil }
        defer { carrier.close() }
        guard let channel = try connect(over: carrier) else { return nil }
        note("carried by a remote half on the host: it outlives broken connections")
        try prepare()
        let relay = Relay(
            channel: channel,
            input: StandardStream(0, .input),
            output: StandardStream(1, .output),
            errorOutput: nil,
            escapes: nil,
            trace: context.trace
        )
        let loop = SessionLoop(
            session: carrier,
            channel: channel,
            relay: relay,
            roundTrip: .zero,
            poller: context.poller,
            trace: context.trace
        )
        guard case .closed(let status?) = try loop.run() else { return Work.failure }
        return Int32(truncatingIfNeeded: status)
    }

    private func logIn() -> ResumedCarrier? {
        var search = search
        let options = search.plan.options
        guard let settings = ResumeSettings(options, isInstance: search.isInstance) else {
            return nil
        }
        search.askNobody()
        do {
            let connection = try search.connect()
            guard let server = connection.server else {
                connection.close()
                return nil
            }
            let reconnector = Reconnector(search, server, in: context)
            return ResumedCarrier(connection, reconnector, settings, in: context)
        } catch {
            let reason = (error as? any Fault)?.summary ?? "\(error)"
            note("no login of ec2sh's own, so nothing outlives the connection: \(reason)")
            return nil
        }
    }

    /// Has the remote half connect to sshd, if the server lets connections to that port be made for us.
    private func connect(over carrier: ResumedCarrier) throws -> ResumedChannel? {
        var permits = ForwardPermits()
        let port = ForwardPermits.Subject.port(UInt16(clamping: search.plan.options.port))
        let channel = carrier.openResumed()
        do {
            let isPermitted: Bool? = try context.poller.wait {
                if let failure = carrier.failure { throw failure }
                permits.ask(port, over: carrier.session)
                return permits[port].map { .done($0) } ?? .again
            }
            guard isPermitted == true else {
                note("the server lets nothing be forwarded, so nothing outlives the connection")
                return nil
            }
            _ = try context.poller.wait { try channel.open() }
            _ = try context.poller.wait { () throws -> Attempt<Bool> in
                if let failure = carrier.failure { throw failure }
                return try channel.relay()
            }
        } catch let error as SSHError {
            note("nothing outlives the connection: \(error.summary)")
            return nil
        }
        return channel.isLost ? nil : channel
    }

    private func note(_ text: String) { context.trace.debug(.debug1, .network, text) }
}
