internal import Glibc

/// How a process ended.
public enum ExitStatus: Sendable, Equatable {
    /// It called exit with this status, 0 to 255.
    case exited(Int32)
    /// A signal killed it.
    case killed(Signal)
    /// Somebody else took the status away, or SIGCHLD is ignored.
    case unknown

    /// Whether it ended with status 0.
    public var isSuccess: Bool { self == .exited(0) }

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self =
            signal == 0
            ? .exited(waitStatus >> 8 & 0xff) : .killed(Signal(rawValue: signal))
    }
}

/// A process that we have started.
///
/// Ending the value does not end the process; who wants that calls ``send(_:)``.
public final class Child {
    /// The process id; it stays ours until the child is reaped.
    public let pid: Int32
    /// How it ended, once it was reaped.
    public private(set) var status: ExitStatus?

    init(pid: Int32) { self.pid = pid }

    /// Takes the status of the child if it has ended; SIGCHLD tells when to look.
    ///
    /// C: `waitpid(WNOHANG)`.
    /// - Returns: nil as long as it runs.
    @discardableResult
    public func reap() -> ExitStatus? { reap(WNOHANG) }

    /// Waits for the child to end.
    ///
    /// C: `waitpid`.
    /// - Parameter deadline: when to give up; nil for never.
    /// - Returns: nil when it still runs at the deadline.
    @discardableResult
    public func wait(until deadline: Instant? = nil) -> ExitStatus? {
        guard let deadline else { return reap(0) }
        // waitpid has no limit of time: looked for again after 1, 2, 4, … up to 16 ms.
        var pause: Int32 = 1
        while reap() == nil && readClock() < deadline {
            poll(nil, 0, pause)
            pause = min(pause * 2, 16)
        }
        return status
    }

    /// Sends the child a signal, unless it was reaped.
    ///
    /// C: `kill`.
    /// - Parameter signal: which.
    public func send(_ signal: Signal) {
        if status == nil { kill(pid, signal.rawValue) }
    }

    private func reap(_ options: Int32) -> ExitStatus? {
        if status != nil { return status }
        var code: Int32 = 0
        do throws(SystemError) {
            if try call("waitpid", "", { unsafe waitpid(pid, &code, options) }) == pid {
                status = ExitStatus(waitStatus: code)
            }
        } catch {
            status = .unknown
        }
        return status
    }
}

/// What a program wrote and how it ended.
public struct CommandResult: Sendable, Equatable {
    /// Its standard output, up to the limit.
    public var output: [UInt8]
    /// How it ended.
    public var status: ExitStatus
}

/// Runs a program to its end and collects what it writes.
/// - Parameters:
///   - command: what to run.
///   - input: its standard input.
///   - errors: its standard error; it goes where ours goes when nothing else is said.
///   - limit: the most bytes of output that are kept.
///   - deadline: when the program is killed; nil for never.
/// - Returns: output and status. A program that says more than `limit`, or is not at its end by the
///   deadline, is killed, which the status tells.
/// - Throws: ``SystemError`` when it cannot be started.
public func runToEnd(
    _ command: Command,
    input: ChildStream = .null,
    errors: ChildStream = .inherited,
    limit: Int = 1 << 20,
    until deadline: Instant? = nil
) throws(SystemError) -> CommandResult {
    let pipe = try makePipe()
    let child = try spawn(command, input, errors, writingTo: pipe.far)
    let reader = pipe.near
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
        let events = try waitFor(reader.number, .read, until: deadline)
        if events.isEmpty, let deadline, readClock() >= deadline { break }
        if events.isEmpty { continue }
        let count = try call("read") { unsafe Glibc.read(reader.number, &piece, piece.count) }
        if count == 0 { return CommandResult(output: output, status: child.wait() ?? .unknown) }
        if output.count + count > limit { break }
        output += piece[..<count]
    }
    child.send(.kill)
    return CommandResult(output: output, status: child.wait() ?? .unknown)
}

/// Starts a program that alone has the descriptor its output goes to, so that its end is seen.
private func spawn(
    _ command: Command,
    _ input: ChildStream,
    _ errors: ChildStream,
    writingTo output: consuming Descriptor
) throws(SystemError) -> Child {
    try spawn(command, input: input, output: .descriptor(output.number), errors: errors)
}
