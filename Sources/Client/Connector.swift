internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// Makes connections: way in ▶ key exchange ▶ host key ▶ login.
///
/// Each step throws its own fault; what to do about it is the strategy's business.
struct Connector {
    let context: Context

    /// Goes the way in, exchanges keys and checks the host key; no secret is used.
    /// - Parameter plan: how to get to the host, and its configuration.
    /// - Returns: the connection, its session in the loop.
    /// - Throws: the fault of the step that failed; everything made until then is given back.
    func open(_ plan: Plan) throws -> Connection {
        let options = plan.options
        var start = readClock()
        let reached = try Reach(context: context).open(plan)
        // Each way to an instance has kept its own time, and AWS may have let us wait for it.
        if plan.whereabouts != nil { start = readClock() }
        let deadline = options.connectTimeout.map { start + .seconds($0) }
        let address = reached.address
        let peer = SSHError.Peer(host: options.hostname, address: reached.peerName())
        let carrier = reached.carrier
        let policy = HostKeyPolicy(options, address: address?.host, home: context.user.home)
        let known = KnownHosts.load(
            user: policy.userFiles,
            system: policy.systemFiles,
            trace: context.trace
        )
        let session = try Session(
            descriptor: reached.takeDescriptor(),
            parameters: try SessionParameters(
                options,
                peer: peer,
                hostKeyAlgorithms: try hostKeyAlgorithms(plan, policy, known)
            ),
            trace: context.trace
        )
        let connection = Connection(
            session: session,
            peer: peer,
            carrier: carrier,
            poller: context.poller
        )
        context.poller.add(session)
        do {
            try exchangeKeys(session, peer, until: deadline)
            let key = try hostKey(of: session)
            connection.server = VerifiedServer(
                key: key,
                restrictions: try verify(key, policy, known, plan)
            )
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    /// HostKeyAlgorithms, those of keys already known first, unless the user has set the order.
    private func hostKeyAlgorithms(
        _ plan: Plan,
        _ policy: HostKeyPolicy,
        _ known: KnownHosts
    ) throws -> [String] {
        let algorithms = plan.options.hostKeyAlgorithms
        if let server = plan.knownServer {
            let isKind = { server.key.kind == HostKeyKind(algorithm: $0) }
            return algorithms.filter(isKind) + algorithms.filter { !isKind($0) }
        }
        if plan.options.isSet(.hostKeyAlgorithms) { return algorithms }
        if let ordered = InstanceProof(plan, in: context)?.preferPinned(algorithms) {
            return ordered
        }
        let name = policy.knownHostsName
        var known = known
        if let command = KnownHostsCommand(plan, trace: context.trace) {
            known = known.adding(output: try command("ORDER", name), invocation: "ORDER")
        }
        return known.lookUp(name).preferKnown(algorithms)
    }

    /// ConnectTimeout counts up to the server's identification, as in OpenSSH; after that a server
    /// may be silent for as long again, where OpenSSH would wait for ever.
    private func exchangeKeys(
        _ session: Session,
        _ peer: SSHError.Peer,
        until deadline: Instant?
    ) throws {
        let start = readClock()
        var isConnected = false
        let greeted: Void? = try context.poller.wait(until: deadline) {
            if case .done = try session.connect() { isConnected = true }
            return isConnected || !session.serverIdentification.isEmpty ? .done(()) : .again
        }
        if greeted == nil { throw HandshakeTimeout(peer: peer, isGreeted: false) }
        let patience = deadline.map { $0 - start }
        while !isConnected {
            let seen = session.packetsReceived
            let moved: Void? = try context.poller.wait(until: patience.map { readClock() + $0 }) {
                if case .done = try session.connect() { isConnected = true }
                return isConnected || session.packetsReceived != seen ? .done(()) : .again
            }
            if moved == nil { throw HandshakeTimeout(peer: peer, isGreeted: true) }
        }
    }

    private func hostKey(of session: Session) throws -> HostKey {
        guard let key = HostKey(blob: try session.hostKey().blob) else {
            throw SSHError.unusableKey("the server's host key cannot be read")
        }
        return key
    }

    private func verify(
        _ key: HostKey,
        _ policy: HostKeyPolicy,
        _ known: KnownHosts,
        _ plan: Plan
    ) throws -> HostKeyPolicy.Exposed {
        if let server = plan.knownServer {
            guard key == server.key else {
                throw HostKeyRefusal.exchanged(host: policy.knownHostsName)
            }
            return server.restrictions
        }
        var policy = policy
        try askNames(about: key, &policy)
        let proof = InstanceProof(plan, in: context)
        var check = HostKeyCheck(
            policy,
            known: known,
            command: KnownHostsCommand(plan, key, trace: context.trace)?.callAsFunction,
            ask: { context.prompter.ask($0, .visible) },
            prove: { (try? proof?.prove($0)) ?? .silent },
            trace: context.trace
        )
        switch try proof?.compare(key) ?? .silent {
        case .proven: return try check.verifyPinned(key)
        case .contradicted:
            // A key that was made anew is known to the instance.
            guard case .proven(let witness)? = try proof?.prove(key) else {
                throw HostKeyRefusal.disproven(host: policy.knownHostsName)
            }
            return try check.verifyReplaced(key, by: witness)
        case .silent:
            let restrictions = try check.verify(key)
            if restrictions.isEmpty { proof?.pin(key) }
            return restrictions
        }
    }
}

/// Says that the server was connected but did not go on with the handshake in time.
struct HandshakeTimeout: Fault {
    let peer: SSHError.Peer
    /// Whether the server had identified itself before it fell silent.
    let isGreeted: Bool

    var layer: Layer { .transport }
    var summary: String {
        isGreeted
            ? "\(peer.address) fell silent during the key exchange"
            : "\(peer.address) did not say anything within ConnectTimeout"
    }
    var words: [String]? {
        isGreeted
            ? ["Connection to \(peer.address) timed out during key exchange"]
            : [
                "Connection timed out during banner exchange",
                "Connection to \(peer.address) timed out",
            ]
    }
}
