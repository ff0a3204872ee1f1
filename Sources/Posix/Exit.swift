internal import Glibc

/// Ends the process.
///
/// C: `exit`.
/// - Parameter status: 0 to 255.
public func exitProcess(_ status: Int32) -> Never { exit(status) }
