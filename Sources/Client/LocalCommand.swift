internal import Faults
internal import Posix

/// Runs LocalCommand (ssh_config(5)) with the user's shell, before the session takes stdout.
/// - Parameters:
///   - command: the command with its tokens expanded.
///   - shell: the user's shell, SHELL or the passwd entry's.
///   - trace: told the exit status.
/// - Throws: ``SystemError`` when the shell cannot be started.
func runLocalCommand(_ command: String, shell: String?, trace: Trace) throws {
    trace.debug(.debug3, .local, "Executing \(shell ?? "/bin/sh") -c \"\(command)\"")
    let child = try spawn(.shell(command, shell: shell), input: .inherited)
    let status = child.wait()
    trace.debug(.debug1, .local, "LocalCommand ended: \(status.map { "\($0)" } ?? "unknown")")
}
