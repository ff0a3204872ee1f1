import Dispatch
public import Foundation
import Synchronization

/// What a program did, from its start to its end.
public struct ProgramRun: Sendable {
    /// What it wrote to standard output.
    public let output: Data
    /// What it wrote to standard error.
    public let errors: Data
    /// Its exit status; 128 and the signal's number when a signal ended it.
    public let status: Int
    /// Whether it had to be killed because it did not end in time.
    public let timedOut: Bool
    /// How long it ran.
    public let duration: Duration

    /// ``output`` as text.
    public var outputText: String { String(decoding: output, as: UTF8.self) }
    /// ``errors`` as text.
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
    /// The lines of ``errors`` without their line ends (`\n` or `\r\n`).
    public var errorLines: [String] {
        errorText.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Where standard input comes from.
    public enum Input: Sendable {
        /// `/dev/null`: at its end from the start.
        case none
        /// These bytes, then the end.
        case bytes(Data)
        /// An open descriptor, which stays the caller's.
        case descriptor(Int32)
        /// No open descriptor at all.
        case closed
    }

    /// Where standard output goes.
    public enum Output: Sendable {
        /// Into ``ProgramRun/output``.
        case collected
        /// An open descriptor, which stays the caller's.
        case descriptor(Int32)
        /// No open descriptor at all.
        case closed
    }

    /// Runs a program and waits for its end, for so long and no longer.
    ///
    /// Standard output and error go to files, not pipes: a program that leaves a child behind does
    /// not keep the test waiting.
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - user: the account to run it under; nil for the test's own.
    ///   - input: what it reads.
    ///   - output: where its standard output goes.
    ///   - environment: added to PATH, HOME, USER and LANG.
    ///   - directory: where it runs; the user's home by default.
    ///   - limit: after this it is killed.
    ///   - started: called once it has the descriptors, which the caller may then close.
    /// - Returns: what it did.
    /// - Throws: when it cannot be started; ``SecretWatch/Leak`` when it has told a secret.
    public static func run(
        _ command: [String],
        as user: LabUser? = nil,
        input: Input = .none,
        output: Output = .collected,
        environment: [String: String] = [:],
        directory: String? = nil,
        limit: Duration = .seconds(30),
        started: @Sendable () -> Void = {}
    ) async throws -> ProgramRun {
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        var streams = try Streams(in: scratch, input: input, output: output)
        let environment = baseEnvironment(of: user).merging(environment) { $1 }
        let words = become(user, in: directory ?? user?.home) + command
        // A few at a time: a machine that runs a hundred at once makes each look slow.
        await Gate.programs.enter()
        defer { Gate.programs.leave() }
        let start = ContinuousClock.now
        let child = try spawn(words, environment, streams)
        streams.close()
        started()
        let (status, timedOut) = await wait(for: child, limit)
        let run = ProgramRun(
            output: try Data(contentsOf: streams.outputURL),
            errors: try Data(contentsOf: streams.errorsURL),
            status: status & 0x7F == 0 ? Int(status >> 8) & 0xFF : 128 + Int(status & 0x7F),
            timedOut: timedOut,
            duration: start.duration(to: .now)
        )
        try SecretWatch.check(command, run, of: user)
        return run
    }

    /// Waits on a thread of its own, for waitpid blocks.
    private static func wait(for child: pid_t, _ limit: Duration) async -> (Int32, Bool) {
        let late = Late()
        let killer = DispatchWorkItem {
            late.flag.store(true, ordering: .relaxed)
            kill(child, SIGKILL)
        }
        let seconds = Double(limit.components.seconds) + Double(limit.components.attoseconds) / 1e18
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: killer)
        let status = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(child, &status, 0) == -1 && errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
        killer.cancel()
        return (status, late.flag.load(ordering: .relaxed))
    }

    /// Not Foundation's Process: it learns of a child's end only when no other child is left that
    /// was started at the same time.
    private static func spawn(
        _ words: [String],
        _ environment: [String: String],
        _ streams: Streams
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, source) in [(0, streams.input), (1, streams.output), (2, streams.errors)] {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, Int32(number))
            } else {
                posix_spawn_file_actions_addclose(&actions, Int32(number))
            }
        }
        // Threads of Swift's and Dispatch's block signals, and children inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
        return child
    }

    /// What to put before a command to run it as a user and in a directory.
    private static func become(_ user: LabUser?, in directory: String?) -> [String] {
        var words: [String] = []
        if let directory { words += ["/usr/bin/env", "-C", directory] }
        guard let user else { return words }
        return words + [
            "/usr/bin/setpriv", "--reuid", "\(user.number)", "--regid", "\(user.number)",
            "--clear-groups", "--",
        ]
    }

    private static func baseEnvironment(of user: LabUser?) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var environment = [
            "PATH": own["PATH"] ?? "/usr/bin:/bin",
            "LANG": "C.UTF-8",
        ]
        environment["HOME"] = user?.home ?? own["HOME"]
        environment["USER"] = user?.name ?? own["USER"]
        return environment
    }
}

/// Whether the deadline was what ended a program.
private final class Late: Sendable {
    let flag = Atomic<Bool>(false)
}

/// Lets so many in and makes the others wait.
private final class Gate: Sendable {
    static let programs = Gate(2 * ProcessInfo.processInfo.activeProcessorCount)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ free: Int) { state = Mutex(State(free: free)) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let goes = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if goes { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.free += 1
                return nil as CheckedContinuation<Void, Never>?
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// The descriptors a program starts with; nil is closed.
private struct Streams {
    let input: Int32?
    let output: Int32?
    let errors: Int32
    let outputURL: URL
    let errorsURL: URL
    private var ours: [Int32] = []

    init(in directory: URL, input: ProgramRun.Input, output: ProgramRun.Output) throws {
        outputURL = directory.appendingPathComponent("out")
        errorsURL = directory.appendingPathComponent("err")
        let collected = try Streams.open(outputURL.path, O_WRONLY | O_CREAT)
        errors = try Streams.open(errorsURL.path, O_WRONLY | O_CREAT)
        ours = [collected, errors]
        switch input {
        case .none:
            self.input = try Streams.open("/dev/null", O_RDONLY)
        case .bytes(let bytes):
            let url = directory.appendingPathComponent("in")
            try bytes.write(to: url)
            self.input = try Streams.open(url.path, O_RDONLY)
        case .descriptor(let number): self.input = number
        case .closed: self.input = nil
        }
        switch input {
        case .none, .bytes: ours += [self.input].compactMap(\.self)
        case .descriptor, .closed: break
        }
        switch output {
        case .collected: self.output = collected
        case .descriptor(let number): self.output = number
        case .closed: self.output = nil
        }
    }

    /// Closes what was opened here, once the program has it.
    mutating func close() {
        ours.forEach { Foundation.close($0) }
        ours = []
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let number = Foundation.open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
        return number
    }
}
