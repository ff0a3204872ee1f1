internal import Posix
internal import SSH
internal import SSHConfig

extension MuxClient {
    /// Does the task here, over a place in the master's connection (`-O proxy`).
    /// - Parameter link: a connection to a master that has greeted.
    /// - Returns: the exit status.
    /// - Throws: ``MuxFault``; what the task throws.
    func runProxied(_ link: MuxLink) throws -> Int32 {
        let session = try session(over: link)
        context.poller.add(session)
        defer { context.poller.remove(session) }
        var plan = plan
        // Who shares a connection is not itself a master.
        plan.options.controlMaster = .no
        plan.options.controlPersist = .no
        let loggedIn = LoggedIn(context: context, plan: plan, session: session)
        return try Work(loggedIn: loggedIn).run()
    }

    private func session(over link: MuxLink) throws -> ProxiedSession {
        let function = "mux_client_proxy"
        let id = link.send { .proxy(id: $0) }
        guard let reply = try link.reply() else {
            throw SSHError.closed(peer)
        }
        try reply.check(id: id, in: function)
        guard case .proxyGranted = reply else {
            throw MuxFault("\(function): master returned error: \(reply.reason ?? reply.typeText)")
        }
        return ProxiedSession(
            link.giveAway(),
            peer: peer,
            answersRequests: link.greeting?.extensions.contains(MuxHello.proxyAnswers) ?? false,
            trace: context.trace
        )
    }

    private var peer: SSHError.Peer {
        var peer = SSHError.Peer(host: plan.options.hostname, address: "UNKNOWN port 65535")
        peer.isLoggedIn = true
        return peer
    }
}
