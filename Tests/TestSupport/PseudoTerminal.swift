import Foundation
import Glibc

/// A terminal whose other end the test holds: it types, and waits for what appears.
///
/// A program started in it is the leader of its own session, with this terminal as its controlling
/// terminal, as a shell in a terminal window is.
public final class PseudoTerminal {
    /// What did not come in time, with everything that did.
    public struct Missing: Error, CustomStringConvertible {
        /// What was waited for and what the terminal shows.
        public let description: String
    }

    /// How a program ended.
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(Int32)
        case stopped(Int32)
    }

    /// The path of the end that programs have.
    public let path: String
    /// The program's process id; 0 before one was started.
    public private(set) var pid: Int32 = 0
    /// All that has appeared so far.
    public private(set) var transcript = ""

    private var master: Int32 = -1
    // Held open so that the modes can be looked at when no program has the terminal.
    private var terminal: Int32 = -1
    private var seen = 0
    private var hasEnded = false

    /// Opens a terminal.
    /// - Parameters:
    ///   - columns: the width of its window.
    ///   - rows: the height of its window.
    public init(columns: UInt16 = 80, rows: UInt16 = 24) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        var name = [CChar](repeating: 0, count: 128)
        openpty(&master, &terminal, &name, nil, &size)
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        _ = fcntl(terminal, F_SETFD, FD_CLOEXEC)
        path = String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    deinit {
        if pid != 0 && !hasEnded {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        if master != -1 { close(master) }
        close(terminal)
    }

    /// Starts a program in the terminal.
    /// - Parameters:
    ///   - arguments: the program's path and its arguments.
    ///   - environment: all its variables; nil for ours.
    ///   - redirections: paths, by the number of the standard descriptor that is to have it.
    /// - Throws: ``Missing`` when it cannot be started.
    public func start(
        _ arguments: [String],
        environment: [String: String]? = nil,
        redirections: [Int32: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, number, path, O_RDWR, 0)
        }
        for (number, path) in redirections {
            let flags = number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND
            posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        // POSIX_SPAWN_SETSID, which glibc shows to GNU sources only.
        let session: Int32 = 0x80
        let flags = session | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let variables = environment ?? ProcessInfo.processInfo.environment
        let program = arguments.first ?? ""
        let code = withStrings(arguments) { arguments in
            withStrings(variables.map { "\($0)=\($1)" }) { variables in
                posix_spawnp(&pid, program, &actions, &attributes, arguments, variables)
            }
        }
        if code != 0 { throw Missing(description: "cannot start \(program): errno \(code)") }
    }

    /// Types, as if on the keyboard; `\u{3}` is Ctrl-C.
    public func type(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Waits until a text appears, and forgets what came up to its end.
    /// - Returns: what came before the text.
    @discardableResult
    public func wait(for text: String, seconds: Double = 20) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let unread = transcript.utf8.dropFirst(seen)
            if let found = Substring(unread).range(of: text) {
                seen = transcript.utf8.distance(from: transcript.startIndex, to: found.upperBound)
                return String(Substring(unread)[..<found.lowerBound])
            }
            if !receive(until: deadline) {
                throw Missing(description: "\(text.debugDescription) did not appear: \(shown)")
            }
        }
    }

    /// Waits until the program has ended and collects the last it wrote.
    @discardableResult
    public func waitForEnd(seconds: Double = 20) throws -> End {
        let end = try waitForChange(seconds: seconds, WNOHANG)
        while receive(until: Date()) {}
        return end
    }

    /// Waits until the program is stopped, as Ctrl-Z does it, or has ended.
    @discardableResult
    public func waitForStop(seconds: Double = 20) throws -> End {
        try waitForChange(seconds: seconds, WNOHANG | WUNTRACED)
    }

    /// Sends the program a signal.
    public func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits until a condition holds that no event tells, such as the terminal's modes.
    public func wait(
        until condition: @autoclosure () -> Bool,
        _ name: String,
        seconds: Double = 20
    ) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while !condition() {
            if Date() > deadline { throw Missing(description: "\(name) did not come: \(shown)") }
            _ = receive(until: Date(timeIntervalSinceNow: 0.005))
        }
    }

    /// Whether the terminal shows what is typed.
    public var hasEcho: Bool { modes.c_lflag & tcflag_t(ECHO) != 0 }
    /// Whether every byte goes to the program as it is typed.
    public var isRaw: Bool { modes.c_lflag & tcflag_t(ICANON | ISIG) == 0 }

    /// The process group that gets what is typed.
    public var foregroundGroup: Int32 { tcgetpgrp(master) }
    /// The number of the end that programs have, for asking it things.
    public var number: Int32 { terminal }

    /// Gives the terminal the modes that a shell sets for itself.
    public func makeSane() {
        var modes = modes
        modes.c_lflag |= tcflag_t(ICANON | ISIG | ECHO)
        tcsetattr(terminal, TCSANOW, &modes)
    }

    /// Changes the size of the terminal's window; the program gets SIGWINCH.
    public func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Closes the terminal window: the program gets SIGHUP, and its terminal is gone.
    public func hangUp() {
        close(master)
        master = -1
    }

    private var modes: termios {
        var modes = termios()
        tcgetattr(terminal, &modes)
        return modes
    }

    private var shown: String { "the terminal shows \(transcript.debugDescription)" }

    /// - Returns: false when nothing came by the deadline.
    private func receive(until deadline: Date) -> Bool {
        var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        let left = max(0, deadline.timeIntervalSinceNow * 1000)
        guard master != -1, poll(&entry, 1, Int32(left.rounded(.up))) > 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &buffer, buffer.count)
        if count <= 0 { return false }
        transcript += String(decoding: buffer[..<count], as: UTF8.self)
        return true
    }

    private func waitForChange(seconds: Double, _ options: Int32) throws -> End {
        let deadline = Date(timeIntervalSinceNow: seconds)
        var status: Int32 = 0
        while waitpid(pid, &status, options) != pid {
            if Date() > deadline { throw Missing(description: "still running: \(shown)") }
            // Output is taken meanwhile, lest the program waits for a full terminal.
            _ = receive(until: Date(timeIntervalSinceNow: 0.005))
            if master == -1 { usleep(2000) }
        }
        if status & 0xff == 0x7f { return .stopped(status >> 8 & 0xff) }
        hasEnded = true
        return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(status & 0x7f)
    }
}

private func withStrings<Value>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    var list: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
    defer { list.forEach { free($0) } }
    return list.withUnsafeMutableBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
}
