internal import Glibc
internal import Synchronization

/// A signal's number.
public struct Signal: RawRepresentable, Sendable, Hashable {
    /// The number, such as 15.
    public let rawValue: Int32
    /// Wraps a signal number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// The terminal is gone.
    public static let hangup = Signal(rawValue: SIGHUP)
    /// Ctrl-C.
    public static let interrupt = Signal(rawValue: SIGINT)
    /// Ctrl-\.
    public static let quit = Signal(rawValue: SIGQUIT)
    /// A polite kill.
    public static let terminate = Signal(rawValue: SIGTERM)
    /// The terminal's size has changed.
    public static let windowChange = Signal(rawValue: SIGWINCH)
    /// The process goes on after a stop.
    public static let resume = Signal(rawValue: SIGCONT)
    /// A child has ended.
    public static let child = Signal(rawValue: SIGCHLD)
    /// An end that cannot be caught.
    public static let kill = Signal(rawValue: SIGKILL)
    /// A stop that cannot be caught.
    public static let stop = Signal(rawValue: SIGSTOP)
    /// Ctrl-Z.
    public static let terminalStop = Signal(rawValue: SIGTSTP)
    /// A read from the terminal in the background.
    public static let terminalInput = Signal(rawValue: SIGTTIN)
    /// A write to the terminal, or a change of it, in the background.
    public static let terminalOutput = Signal(rawValue: SIGTTOU)
}

/// Turns signals into something the loop waits for: a handler only sets a flag and writes a byte.
///
/// The handler's state is process-wide, as signals are; this is the one place for it.
public final class Signals {
    /// Becomes readable when a signal has come.
    let wakeUp: Int32
    private let pipe: DescriptorPair
    private var pending: Set<Signal> = []
    private var counts: [Signal: Int] = [:]

    /// Prepares the wake-up pipe and ignores SIGPIPE, so that a closed reader is an error, EPIPE.
    /// - Throws: ``SystemError`` when there is no descriptor left.
    public init() throws(SystemError) {
        pipe = try makePipe()
        wakeUp = pipe.near.number
        try setNonBlocking(pipe.near.number)
        try setNonBlocking(pipe.far.number)
        wakeUpWriter.store(pipe.far.number, ordering: .releasing)
        Glibc.signal(SIGPIPE, SIG_IGN)
    }

    /// Begins to catch a signal.
    /// - Parameters:
    ///   - caught: which.
    ///   - unlessIgnored: leaves a signal ignored that was so when we started, as nohup expects.
    public func catchSignal(_ caught: Signal, unlessIgnored: Bool = false) {
        var action = sigaction()
        if unlessIgnored {
            var old = sigaction()
            unsafe sigaction(caught.rawValue, nil, &old)
            // SIG_IGN is the address 1 (signal.h); a C function pointer cannot be compared.
            if unsafe unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1 {
                return
            }
        }
        let handler: @convention(c) (Int32) -> Void =
            if caught == .resume { noteContinuation } else { noteSignal }
        unsafe action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        unsafe sigaction(caught.rawValue, &action, nil)
    }

    /// Gives a signal its default meaning back.
    public func restoreDefault(_ signal: Signal) {
        Glibc.signal(signal.rawValue, SIG_DFL)
    }

    /// Whether a signal came since it was last taken; asking takes it.
    public func take(_ signal: Signal) -> Bool {
        pending.remove(signal) != nil
    }

    /// Whether a signal came since it was last taken; asking leaves it there.
    public func isPending(_ signal: Signal) -> Bool { pending.contains(signal) }

    /// How often a signal was seen so far; for those who share it with others, who may take it.
    /// - Parameter signal: which.
    /// - Returns: a number that only grows.
    public func count(of signal: Signal) -> Int { counts[signal, default: 0] }

    /// Parts from the process that we were forked from, or that was forked from us: what wakes one
    /// does not wake the other any more.
    ///
    /// C: `dup2`.
    /// - Throws: ``SystemError`` when there is no descriptor left.
    public func part() throws(SystemError) {
        let new = try makePipe()
        for (from, to) in [
            (new.near.number, pipe.near.number), (new.far.number, pipe.far.number),
        ] {
            try setNonBlocking(from)
            try call("dup2") { dup2(from, to) }
            try call("fcntl") { fcntl(to, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Moves what the handler noted into `pending`.
    func collect() {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while unsafe Glibc.read(wakeUp, &bytes, bytes.count) > 0 {}
        let flags = notedSignals.exchange(0, ordering: .acquiringAndReleasing)
        for number in 0..<64 where flags & (1 << UInt64(number)) != 0 {
            let signal = Signal(rawValue: Int32(number))
            pending.insert(signal)
            counts[signal, default: 0] += 1
        }
    }

    /// Takes notice of signals outside the loop, such as after a read was interrupted.
    public func refresh() { collect() }

    /// Whether a signal has come that was not collected.
    ///
    /// More than what the wake-up descriptor told when it was polled: a process that has to wait for
    /// its turn is given the signal when poll has looked at all descriptors already.
    var hasNews: Bool { notedSignals.load(ordering: .acquiring) != 0 }
}

private let wakeUpWriter = Atomic<Int32>(-1)
private let notedSignals = Atomic<UInt64>(0)

/// The handler: async-signal-safe by using atomics and write(2) alone.
func noteSignal(_ number: Int32) {
    let saved = errno
    notedSignals.bitwiseOr(1 << UInt64(number), ordering: .acquiringAndReleasing)
    var byte: UInt8 = 0
    unsafe write(wakeUpWriter.load(ordering: .acquiring), &byte, 1)
    errno = saved
}
