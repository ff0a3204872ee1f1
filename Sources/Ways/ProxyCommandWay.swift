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
/// The command's standard error is ours. It gets two pipes, as ssh gives it; libssh wants a socket,
/// so the way stays in the loop and carries the bytes between (``PipeJoint``).
public final class ProxyCommandWay: Way {
    private enum State {
        case receiving
        case open
        case failed(WayError)
    }

    private let passesDescriptor: Bool
    private let child: Child
    /// Carries the bytes of a command that does not hand over a descriptor.
    private let joint: PipeJoint?
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
        if parameters.command == "-" { throw .standardStreams }
        passesDescriptor = parameters.passesDescriptor
        let line = "exec \(parameters.command)"
        let kind = passesDescriptor ? "proxy dialer command" : "proxy command"
        trace.say(.debug1, "debug1: Executing \(kind): \(line.prefix(500))")
        let command = Command.shell(
            raw: LosslessText.bytes(line),
            shell: parameters.shell.map { LosslessText.bytes($0) }
        )
        do throws(SystemError) {
            let pair = try makeSocketPair()
            let near = try pair.near.duplicate()
            let far = try pair.far.duplicate()
            try setNonBlocking(near.number)
            socket = consume near
            if parameters.passesDescriptor {
                child = try start(command, with: far, hidesErrors: parameters.hidesErrors)
                joint = nil
            } else {
                let started = try start(
                    command,
                    joinedTo: far,
                    hidesErrors: parameters.hidesErrors
                )
                child = started.child
                joint = started.joint
            }
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

    /// Waits for bytes to carry, or for the descriptor that is to be handed over.
    public func watch(_ set: inout PollSet) {
        slot = nil
        joint?.watch(&set)
        if case .receiving = state, let number { slot = set.watch(number, .read) }
    }

    /// Waits for nothing but the command.
    public var deadline: Instant? { nil }

    /// Carries bytes, or takes the descriptor when it comes.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) {
        joint?.advance(set)
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

/// Starts the command with both its streams on a socket that only it has then.
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

/// Starts the command with a pipe for each of its streams.
private func start(
    _ command: Command,
    joinedTo socket: consuming Descriptor,
    hidesErrors: Bool
) throws(SystemError) -> (child: Child, joint: PipeJoint) {
    let input = try makePipe()
    let output = try makePipe()
    let child = try spawn(
        command,
        input: .descriptor(input.near.number),
        output: .descriptor(output.far.number),
        errors: hidesErrors ? .null : .inherited
    )
    let joint = try PipeJoint(
        socket,
        input: try input.far.duplicate(),
        output: try output.near.duplicate()
    )
    return (child, joint)
}
