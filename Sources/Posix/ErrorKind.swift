internal import Glibc

extension SystemError {
    /// The errno values that callers tell apart, by what they mean.
    public enum Kind: Sendable, Equatable {
        /// ENOENT: there is no such file or directory.
        case missing
        /// EACCES, EPERM: it is not allowed.
        case forbidden
        /// EEXIST: there is one already.
        case existing
        /// ECONNREFUSED: nobody listens there.
        case refused
        /// ETIMEDOUT: nobody answered in time.
        case timedOut
        /// EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN: there is no way through the network.
        case unreachable
        /// EPIPE, ECONNRESET, ENOTCONN: the other end is gone.
        case disconnected
        /// EBADMSG: what came is not what was expected.
        case malformed
        /// ENOSPC, EDQUOT, EFBIG: it does not fit.
        case full
        /// ENAMETOOLONG: a path is longer than it can be.
        case tooLong
        /// EADDRINUSE: something has that address.
        case inUse
        /// Anything else.
        case other
    }

    /// What the errno value means.
    public var kind: Kind {
        switch code {
        case ENOENT: .missing
        case EACCES, EPERM: .forbidden
        case EEXIST: .existing
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .timedOut
        case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN: .unreachable
        case EPIPE, ECONNRESET, ENOTCONN: .disconnected
        case EBADMSG: .malformed
        case ENAMETOOLONG: .tooLong
        case EADDRINUSE: .inUse
        case ENOSPC, EDQUOT, EFBIG: .full
        default: .other
        }
    }

    /// Says that nobody answered in time, where it is we who have waited.
    /// - Parameters:
    ///   - call: the C function whose end was waited for.
    ///   - subject: what it was called on.
    /// - Returns: an error with ETIMEDOUT.
    public static func timedOut(_ call: String, _ subject: String) -> SystemError {
        SystemError(call, subject, code: ETIMEDOUT)
    }
}

extension SystemError {
    /// Says that a path is too long to be a socket's.
    /// - Parameter path: the path.
    /// - Returns: what connect would give for it, ENAMETOOLONG.
    public static func socketPathTooLong(_ path: String) -> SystemError {
        SystemError("connect", path, code: ENAMETOOLONG)
    }
}
