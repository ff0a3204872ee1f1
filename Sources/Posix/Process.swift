internal import Glibc

/// Opens `/dev/null` on those of the descriptors 0 to 2 that are not open, and closes all others
/// that we were started with, as ssh does first of all.
///
/// C: `open`, `closefrom`.
public func prepareDescriptors() {
    while true {
        // open(2) takes the least free number.
        let number = unsafe open("/dev/null", O_RDWR)
        if number == -1 { break }
        if number > 2 {
            close(number)
            break
        }
    }
    closefrom(3)
}

/// Puts `/dev/null` in the place of a standard descriptor.
///
/// C: `dup2`.
/// - Parameter number: 0, 1 or 2.
public func redirectToNull(_ number: Int32) {
    let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    if null == -1 { return }
    if null != number {
        dup2(null, number)
        close(null)
    }
}

/// Keeps secrets out of core dumps: there are none from now on.
///
/// C: `setrlimit(RLIMIT_CORE)`.
public func forbidCoreDumps() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
}

/// Sets which permission bits new files do not get.
///
/// C: `umask`.
/// - Parameter mask: 0 to 0o777.
/// - Returns: the mask before.
@discardableResult
public func setFileCreationMask(_ mask: UInt32) -> UInt32 { umask(mode_t(mask)) }

/// Goes on in the background, in a new session without a terminal.
///
/// The foreground process ends with status 0. The three standard descriptors stay as they are.
/// Only the calling thread goes on: a ``Helper`` whose work is not done never will be.
///
/// C: `daemon(1, 1)`, which ssh uses for `-f` too.
/// - Throws: ``SystemError``; EAGAIN when there cannot be another process.
public func continueInBackground() throws(SystemError) {
    try call("daemon") { daemon(1, 1) }
}

/// The process's own id.
///
/// C: `getpid`.
/// - Returns: the id, another one after ``continueInBackground()``.
public func processID() -> Int32 { getpid() }

/// Ends the process as a signal would have, after all that had to be put in order.
///
/// C: `signal(SIG_DFL)`, `kill`.
/// - Parameter signal: one whose default meaning is to end or to stop the process.
public func raise(_ signal: Signal) {
    var old = sigaction()
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = SIG_DFL
    unsafe sigaction(signal.rawValue, &action, &old)
    kill(getpid(), signal.rawValue)
    unsafe sigaction(signal.rawValue, &old, nil)
}

/// Stops the process until somebody continues it, as Ctrl-Z does.
///
/// C: `kill(getpid(), SIGTSTP)` with the default action, as clientloop.c has it.
public func suspendProcess() { raise(.terminalStop) }

/// Whether our process group is the one that a terminal listens to.
///
/// C: `tcgetpgrp`, `getpgrp`.
/// - Parameter number: a terminal.
/// - Returns: false also for what is not our controlling terminal.
public func isInForeground(_ number: Int32) -> Bool { tcgetpgrp(number) == getpgrp() }
