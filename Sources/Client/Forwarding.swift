internal import Faults
internal import Posix
internal import SSHConfig

/// The port forwards of one login: those of the configuration, and those that come and go later.
///
/// Local ones stand at once or not at all. Remote ones are asked for, and the server's answers come
/// while the loop goes on; nothing here waits for them.
final class Forwarding {
    private unowned let loggedIn: LoggedIn
    private let local: LocalForwards
    private let remote: RemoteForwards

    private var options: Options { loggedIn.plan.options }
    private var trace: Trace { loggedIn.context.trace }

    /// Takes the channels that the server opens for remote forwards.
    /// - Parameter loggedIn: the login they go through.
    init(over loggedIn: LoggedIn) {
        self.loggedIn = loggedIn
        local = LocalForwards(over: loggedIn)
        remote = RemoteForwards(over: loggedIn)
    }

    /// Opens the forwards of the configuration, the remote ones without waiting for the server.
    /// - Throws: ``ForwardFault`` when one failed that may not (ExitOnForwardFailure); later the
    ///   loop throws it.
    func openConfigured() throws(ForwardFault) {
        let wanted = options.localForwards.count
        let opened = options.localForwards.count(where: local.open)
        if wanted > opened && options.exitOnForwardFailure { throw .local }
        if wanted > 0 && opened == 0 {
            trace.say(.error, "Could not request local forwarding.")
        }
        for forward in options.remoteForward {
            try remote.openConfigured(forward, exits: options.exitOnForwardFailure)
        }
    }

    /// Whether every remote forward has been answered.
    var isSettled: Bool { remote.isSettled }

    /// Whether the server hears of every remote forward before it hears of anything that is sent
    /// now: one request is under way at a time.
    var isSent: Bool { remote.isSent }

    /// Ends the listening on this side; the login is over.
    func close() { local.close() }

    /// Opens a local or dynamic forward.
    /// - Parameter forward: where to listen, and where the server is to connect to.
    /// - Returns: whether it listens on one of its addresses at least; what failed was said.
    func openLocal(_ forward: Forward) -> Bool { local.open(forward) }

    /// Asks for a remote forward.
    /// - Parameters:
    ///   - forward: where the server is to listen, and where its connections lead on this side.
    ///   - done: called once with the port the server listens on, or why it does not.
    func openRemote(_ forward: Forward, done: @escaping (Result<Int, ForwardFault>) -> Void) {
        remote.open(forward, done: done)
    }

    /// Ends a local or dynamic forward; its connections go on.
    /// - Parameters:
    ///   - listener: where it listens.
    ///   - isDynamic: whether it is one that speaks SOCKS.
    /// - Returns: whether there was one.
    func cancelLocal(_ listener: Forward.Listener, isDynamic: Bool) -> Bool {
        local.cancel(listener, isDynamic: isDynamic)
    }

    /// Ends a remote forward; its connections go on.
    /// - Parameter listener: where the server listens, with the port as it was asked for or as the
    ///   server chose it.
    /// - Returns: whether there was one.
    func cancelRemote(_ listener: Forward.Listener) -> Bool { remote.cancel(listener) }
}
