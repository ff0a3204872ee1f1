public import Faults
public import Posix
internal import SSHConfig

/// What a proxy command needs to know.
public struct ProxyCommandParameters: Sendable {
    /// The command line with everything expanded; bytes that are not UTF-8 as `LosslessText` tells.
    public var command: String
    /// The value of `SHELL`; nil or empty stands for `/bin/sh`.
    public var shell: String?
    /// ProxyUseFdpass: the command hands over a connected descriptor and ends.
    public var passesDescriptor = false
    /// Whether what the command says goes to `/dev/null` (ControlPersist without `-v`).
    public var hidesErrors = false

    /// Describes a command.
    /// - Parameters:
    ///   - command: the command line with everything expanded.
    ///   - shell: the value of `SHELL`.
    public init(_ command: String, shell: String?) {
        self.command = command
        self.shell = shell
    }
}

/// The way through a command that carries the bytes on its standard input and output, or that hands
/// over a connected descriptor (sshconnect.c, `ssh_proxy_connect`, `ssh_proxy_fdpass_connect`).
///
/// The command's standard error is ours. Both its streams are one socket, where ssh has two pipes:
/// libssh has one descriptor.
public final class ProxyCommandWay: Way {
    private enum State {
        case receiving
        case open
        case failed(WayError)
    }

    private let passesDescriptor: Bool
    private let child: Child
    private var state: State
    /// Our end of the socket: what is handed over, or where that comes from.
    private var socket: Descriptor?
    private var slot: PollSet.Slot?

    /// Nobody knows what is at the other end.
    public var peer: SocketAddress? { nil }

    /// Starts the command.
    /// - Parameters:
    ///   - parameters: what to run.
    ///   - trace: told what is run.
    /// - Throws: ``WayError`` when it cannot be started.
    public init(_ parameters: ProxyCommandParameters, trace: Trace) throws(WayError) {
        passesDescriptor = parameters.passesDescriptor
        let line = "exec \(parameters.command)"
        let kind = passesDescriptor ? "proxy dialer command" : "proxy command"
        trace.say(.debug1, "debug1: Executing \(kind): \(line.prefix(500))")
        var command = Command.shell(
            raw: LosslessText.bytes(line),
            shell: parameters.shell.map { LosslessText.bytes($0) }
        )
        command.environment = .inherited(changes: shellLevelChanges(environmentVariables()))
        do throws(SystemError) {
            let pair = try makeSocketPair()
            child = try start(command, with: pair.far, hidesErrors: parameters.hidesErrors)
            let near = pair.near
            try setNonBlocking(near.number)
            socket = consume near
        } catch {
            throw WayError(proxy: ["\(command.program): \(error.reason)"], error)
        }
        state = passesDescriptor ? .receiving : .open
    }

    /// Tells how far it is.
    /// - Returns: done at once, but for a descriptor that is to be handed over.
    /// - Throws: ``WayError`` when the command ended without handing over one.
    public func progress() throws(WayError) -> Attempt<Void> {
        switch state {
        case .receiving: return .again
        case .open: return .done(())
        case .failed(let error): throw error
        }
    }

    /// Hands over the descriptor, once.
    /// - Returns: a non-blocking socket; nil as long as there is none, and after it was taken.
    public func take() -> Descriptor? {
        guard case .open = state else { return nil }
        return socket.take()
    }

    /// Tells the command that the connection is over, without waiting for its end, as ssh does.
    ///
    /// C: `kill(SIGHUP)`, `ssh_kill_proxy_command`.
    public func end() {
        if child.reap() == nil && !passesDescriptor { child.send(.hangup) }
    }

    // MARK: - Source

    /// Waits for the descriptor that is to be handed over.
    public func watch(_ set: inout PollSet) {
        slot = nil
        if case .receiving = state, let number { slot = set.watch(number, .read) }
    }

    /// Waits for nothing but the command.
    public var deadline: Instant? { nil }

    /// Takes the descriptor when it comes.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) {
        guard case .receiving = state, let number, !set[slot].isEmpty else { return }
        do throws(SystemError) {
            switch try receiveDescriptor(number) {
            case .again:
                return
            case .descriptor(let received):
                try setNonBlocking(received.number)
                socket = consume received
                state = .open
            }
        } catch {
            state = .failed(WayError(passing: error))
        }
        child.reap()
    }

    private var number: Int32? {
        switch socket {
        case .some(let socket): socket.number
        case .none: nil
        }
    }
}

/// Starts the command with both its streams on a descriptor that only it has then.
private func start(
    _ command: Command,
    with end: consuming Descriptor,
    hidesErrors: Bool
) throws(SystemError) -> Child {
    try spawn(
        command,
        input: .descriptor(end.number),
        output: .descriptor(end.number),
        errors: hidesErrors ? .null : .inherited
    )
}

/// What bash must see changed.
///
/// A bash whose standard input is a socket and whose SHLVL says that no shell started it takes
/// itself for one of rshd and runs `~/.bashrc`, whose output would get between the bytes of the
/// connection (bash's shell.c, `run_startup_files`). ssh's pipes do not deceive it.
func shellLevelChanges(_ environment: [String: String]) -> [String: String?] {
    let level = environment["SHLVL"].flatMap { Int($0) } ?? 0
    return level < 1 ? ["SHLVL": "1"] : [:]
}
