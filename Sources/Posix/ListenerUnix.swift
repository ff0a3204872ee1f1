internal import Glibc

/// Makes a socket in the file system that takes connections.
///
/// C: `socket`, `umask`, `bind`, `listen`.
/// - Parameters:
///   - path: where; 1 to 107 bytes.
///   - mask: the permissions that the socket does not get (StreamLocalBindMask).
///   - backlog: how many may wait; 128 as OpenSSH.
/// - Returns: the listening socket; closing it leaves the path.
/// - Throws: ``SystemError``, its call telling `bind` from `listen`; EADDRINUSE, ENAMETOOLONG.
public func listen(
    onPath path: String,
    mask: UInt32,
    backlog: Int32 = 128
) throws(SystemError) -> Descriptor {
    guard let address = SocketAddress(path: path) else {
        throw SystemError("bind", path, code: ENAMETOOLONG)
    }
    let listener = try makeStreamSocket(.local)
    let before = umask(mask)
    defer { umask(before) }
    try bindSocket(listener.number, to: address)
    do throws(SystemError) {
        try call("listen", path) { Glibc.listen(listener.number, backlog) }
    } catch {
        unsafe unlink(path)
        throw error
    }
    return listener
}

/// Removes a socket, or whatever has its path; nothing happens when there is none.
///
/// C: `unlink`.
/// - Parameter path: the path.
/// - Throws: ``SystemError``.
public func removeSocket(_ path: String) throws(SystemError) {
    do throws(SystemError) {
        try call("unlink", path) { unsafe unlink(path) }
    } catch {
        if error.code != ENOENT { throw error }
    }
}

extension SystemError {
    /// Whether no more descriptors are to be had for now (EMFILE, ENFILE).
    public var isShortOfDescriptors: Bool { code == EMFILE || code == ENFILE }
    /// Whether a connection was gone before it was taken (ECONNABORTED).
    public var isAborted: Bool { code == ECONNABORTED }
}
