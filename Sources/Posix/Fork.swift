internal import Glibc

/// Which of two processes goes on.
public enum Forked: Sendable, Equatable {
    /// The one that was there before; the other's id.
    case parent(of: Int32)
    /// The new one.
    case child
}

/// Becomes two processes, each with everything there is.
///
/// Only the calling thread goes on in the child: a ``Helper`` whose work is not done never will be.
///
/// C: `fork`.
/// - Returns: which of the two we are.
/// - Throws: ``SystemError``; EAGAIN when there cannot be another process.
public func forkProcess() throws(SystemError) -> Forked {
    // Glibc's module hides fork, as threads and locks of others do not survive it; vfork and
    // posix_spawn cannot go on with an open connection.
    let id = try call("fork") { fork_() }
    return id == 0 ? .child : .parent(of: id)
}

@_silgen_name("fork")
private func fork_() -> pid_t

/// Lets the process have as many descriptors as it may: each client that shares a connection and
/// each forwarded connection needs some.
///
/// C: `setrlimit(RLIMIT_NOFILE)`.
/// - Parameter most: no more than so many.
public func raiseDescriptorLimit(to most: UInt = 65_536) {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    let wanted = min(limit.rlim_max, rlim_t(most))
    if wanted <= limit.rlim_cur { return }
    limit.rlim_cur = wanted
    unsafe setrlimit(resource, &limit)
}
