import Foundation

/// A program a test has started.
///
/// Foundation's `Process` takes a child that closes its inherited descriptors, as sshd and ssh-agent
/// do, for ended and then waits for it on the thread all others are watched from.
public final class ChildProcess {
    private let id: pid_t
    private var status: Int32?

    /// Starts a program with standard input and output on given descriptors.
    /// - Parameters:
    ///   - program: its path.
    ///   - arguments: what follows its name.
    ///   - stream: for standard input and output; /dev/null if nil. Standard error goes there.
    ///   - environment: the whole environment; ours if nil.
    /// - Throws: when it cannot be started.
    public init(
        _ program: String,
        _ arguments: [String],
        stream: Int32? = nil,
        environment: [String: String]? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0)
        for number: Int32 in 0...1 {
            if let stream {
                posix_spawn_file_actions_adddup2(&actions, stream, number)
            } else {
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            }
        }
        // The threads tests run on have every signal blocked, which a child would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let variables = environment ?? ProcessInfo.processInfo.environment
        var child: pid_t = 0
        let code = withCStrings([program] + arguments) { arguments in
            withCStrings(variables.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawn(&child, program, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        id = child
    }

    deinit {
        // An sshd that nobody has logged in to takes note of SIGTERM and goes on.
        if status == nil { kill(id, SIGKILL) }
        waitUntilExit()
    }

    /// Waits for the end.
    /// - Returns: whether it ended with status 0.
    @discardableResult
    public func waitUntilExit() -> Bool {
        var result: Int32 = 0
        while status == nil {
            if waitpid(id, &result, 0) == id { status = result } else if errno != EINTR { break }
        }
        return status == 0
    }
}

/// Runs a program to its end.
/// - Parameters:
///   - path: the program's path.
///   - arguments: what follows its name.
///   - environment: the whole environment; ours if nil.
/// - Throws: when it cannot be started or does not end with status 0.
public func runTool(
    _ path: String,
    _ arguments: [String],
    environment: [String: String]? = nil
) throws {
    let child = try ChildProcess(path, arguments, environment: environment)
    guard child.waitUntilExit() else { throw CocoaError(.executableLoad) }
}

private func withCStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}
