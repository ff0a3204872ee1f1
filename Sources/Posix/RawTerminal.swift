internal import Glibc
internal import Synchronization

/// The one terminal that this process has in raw mode, and its way back on every way out.
///
/// Whatever ends or stops the process, the terminal gets its former modes first: exit, a signal, a
/// crash, Ctrl-Z from elsewhere. When the process goes on it becomes raw again. Only SIGKILL and
/// SIGSTOP cannot be helped. Modes are the terminal's, not a process's, so they would outlive us.
public enum RawTerminal {
    /// Whether a terminal is raw by us.
    public static var isRaw: Bool { rawNumber.load(ordering: .acquiring) != -1 }

    /// Puts a terminal into raw mode; nothing happens when one is.
    ///
    /// In the background this stops the process (SIGTTOU) until it is in the foreground.
    ///
    /// C: `tcsetattr(TCSADRAIN)`.
    /// - Parameter number: the terminal; it stays open as long as it is raw.
    /// - Throws: ``SystemError``; ENOTTY when it is none.
    public static func enter(_ number: Int32) throws(SystemError) {
        if isRaw { return }
        let former = try TerminalSettings(of: number)
        unsafe formerModes = former.modes
        unsafe rawModes = former.raw.modes
        installHandlers()
        rawNumber.store(number, ordering: .releasing)
        do throws(SystemError) {
            try applyUninterrupted(former.raw, number)
        } catch {
            rawNumber.store(-1, ordering: .releasing)
            throw error
        }
    }

    /// Gives the terminal its former modes back; nothing happens when none is raw.
    ///
    /// Nor does anything in the background, where the terminal has somebody else's modes.
    ///
    /// C: `tcsetattr(TCSADRAIN)`.
    /// - Throws: ``SystemError``; EIO when the terminal is gone.
    public static func leave() throws(SystemError) {
        let number = rawNumber.load(ordering: .acquiring)
        if number == -1 { return }
        guard isOurs(number) else {
            rawNumber.store(-1, ordering: .releasing)
            return
        }
        var former = try TerminalSettings(of: number)
        unsafe former.modes = formerModes
        try applyUninterrupted(former, number)
        rawNumber.store(-1, ordering: .releasing)
    }

    private static func applyUninterrupted(
        _ settings: TerminalSettings,
        _ number: Int32
    ) throws(SystemError) {
        while true {
            do throws(SystemError) {
                return try settings.apply(to: number, .drained)
            } catch {
                if !error.isInterruption { throw error }
            }
        }
    }
}

// What the handlers use: written only while no terminal is raw, when they look at the number alone.
private let rawNumber = Atomic<Int32>(-1)
nonisolated(unsafe) private var formerModes = termios()
nonisolated(unsafe) private var rawModes = termios()
private let hasHandlers = Atomic<Bool>(false)

/// What ends a process because of itself.
private let crashes = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
/// What ends a process because somebody wants it.
private let ends = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]
/// What crash handlers there were before ours, by signal.
nonisolated(unsafe) private let formerActions = UnsafeMutablePointer<sigaction>
    .allocate(capacity: 65)

private func installHandlers() {
    for signal in ends { install(signal, handleEnd, onlyOverDefault: true) }
    install(SIGTSTP, handleStop, onlyOverDefault: true)
    install(SIGCONT, noteContinuation, onlyOverDefault: false)
    if hasHandlers.exchange(true, ordering: .acquiringAndReleasing) { return }
    for signal in crashes { install(signal, handleCrash, onlyOverDefault: false) }
    atexit { restoreModes() }
}

private func install(
    _ signal: Int32,
    _ handler: @escaping @convention(c) (Int32) -> Void,
    onlyOverDefault: Bool
) {
    var old = sigaction()
    unsafe sigaction(signal, nil, &old)
    // SIG_DFL is the address 0 (signal.h); a C function pointer cannot be compared.
    let isDefault = unsafe unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 0
    if onlyOverDefault && !isDefault { return }
    unsafe formerActions[Int(signal)] = old
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    unsafe sigaction(signal, &action, nil)
}

// MARK: - Handlers: async-signal-safe by calling tcsetattr, sigaction, kill and the like alone

private func restoreModes() {
    let number = rawNumber.load(ordering: .acquiring)
    if number != -1 && isOurs(number) { unsafe tcsetattr(number, TCSANOW, &formerModes) }
}

private func makeRawAgain() {
    let number = rawNumber.load(ordering: .acquiring)
    if number != -1 && isOurs(number) { unsafe tcsetattr(number, TCSANOW, &rawModes) }
}

/// Whether the terminal listens to us.
///
/// In the background its modes are somebody else's, and who changes them is stopped (SIGTTOU). A
/// terminal that is not our controlling one does not tell.
private func isOurs(_ number: Int32) -> Bool {
    let group = tcgetpgrp(number)
    return group == -1 || group == getpgrp()
}

private func setDefault(_ number: Int32) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = SIG_DFL
    unsafe sigaction(number, &action, nil)
}

/// Returns to the fault, which then meets the handler there was before, or ends the process.
private func handleCrash(_ number: Int32) {
    restoreModes()
    unsafe sigaction(number, &formerActions[Int(number)], nil)
}

private func handleEnd(_ number: Int32) {
    restoreModes()
    setDefault(number)
    kill(getpid(), number)
}

private func handleStop(_ number: Int32) {
    let saved = errno
    restoreModes()
    setDefault(SIGTSTP)
    var stop = sigset_t()
    unsafe sigemptyset(&stop)
    unsafe sigaddset(&stop, SIGTSTP)
    kill(getpid(), SIGTSTP)
    unsafe sigprocmask(SIG_UNBLOCK, &stop, nil)
    // The process stops in the call above and goes on here.
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handleStop
    action.sa_flags = SA_RESTART
    unsafe sigaction(SIGTSTP, &action, nil)
    makeRawAgain()
    errno = saved
}

/// The handler of SIGCONT: makes the terminal raw again and tells the loop.
func noteContinuation(_ number: Int32) {
    let saved = errno
    makeRawAgain()
    errno = saved
    noteSignal(number)
}
