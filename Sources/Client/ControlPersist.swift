internal import Arguments
internal import Faults
internal import Posix
internal import SSHConfig

/// ControlPersist: the connection outlives the run that made it.
///
/// The process that has logged in goes to the background as the master. What was asked for is done
/// by the other half of a fork, which is a client like any other.
///
/// C: `control_persist_detach` in ssh.c.
extension Work {
    /// Becomes a master in the background.
    /// - Parameter master: it listens already.
    /// - Returns: the master's exit status; the client's half ends here.
    /// - Throws: ``MasterEnded``; the fault that ended the connection; ``MuxFault`` for a client
    ///   that finds no master.
    func persist(_ master: MuxMaster) throws -> Int32 {
        if plan.task != .hold, case .parent = try forkProcess() {
            exitProcess(try ride(with: master))
        }
        context.trace.debug(.debug1, .local, "backgrounding master process")
        try context.poller.signals.part()
        try goToBackground()
        giveStreamsAway()
        return try stay()
    }

    /// Does what was asked for as a client of the master that we were.
    private func ride(with master: MuxMaster) throws -> Int32 {
        // The connection is the master's: nothing of it may be closed by taking it down here.
        _ = unsafe Unmanaged.passRetained(loggedIn)
        master.giveAway()
        var plan = plan
        plan.options.controlMaster = .no
        // They are the master's already.
        plan.options.localForwards = []
        plan.options.remoteForward = []
        let poller = Poller(signals: context.poller.signals)
        guard let status = try MuxClient(context, plan, in: poller)?.run() else {
            throw MuxFault("Failed to connect to new control master")
        }
        return status
    }

    /// Whoever waits for the end of our output takes that for "connected"; errors stay visible for
    /// `-v`, unless they go to a file.
    func giveStreamsAway() {
        redirectToNull(0)
        redirectToNull(1)
        let invocation = context.configuration.invocation
        let isLogged = invocation.has(.logFile) || invocation.has(.syslog)
        if context.configuration.verbosity == 0 || isLogged { redirectToNull(2) }
    }
}
