internal import Glibc

/// Sends a signal to another process.
///
/// C: `kill`.
/// - Parameters:
///   - signal: which.
///   - process: the process's id, greater than 1; nothing is sent to others.
public func send(_ signal: Signal, to process: Int32) {
    if process > 1 { kill(process, signal.rawValue) }
}
