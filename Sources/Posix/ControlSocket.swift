internal import Glibc

/// Connects to a socket in the file system, waiting where its queue is full.
///
/// C: `socket`, `connect`.
/// - Parameter path: its path, at most 107 bytes (unix(7)).
/// - Returns: the connection; it blocks.
/// - Throws: ``SystemError``; ENOENT, ECONNREFUSED when nobody listens, ENAMETOOLONG.
public func connectLocal(_ path: [UInt8]) throws(SystemError) -> Descriptor {
    let socket = try makeLocalSocket()
    unsafe try onLocalAddress("connect", path) { unsafe connect(socket.number, $0, $1) }
    return socket
}

/// Listens on a socket in the file system that nobody but us may connect to.
///
/// It gets its name only when it listens already, so that nobody meets one that does not yet.
///
/// C: `umask`, `bind`, `listen`, `link`, as mux.c of OpenSSH has it.
/// - Parameters:
///   - path: its path.
///   - temporary: a path beside it that nobody else takes.
///   - backlog: how many connections may wait.
/// - Returns: the listening socket.
/// - Throws: ``SystemError`` by the name of the call; `link` with EEXIST when there is a file with
///   that name.
public func listenLocal(
    _ path: [UInt8],
    temporary: [UInt8],
    backlog: Int32
) throws(SystemError) -> Descriptor {
    let socket = try makeLocalSocket()
    let mask = setFileCreationMask(0o177)
    defer { setFileCreationMask(mask) }
    unsafe try onLocalAddress("bind", temporary) { unsafe bind(socket.number, $0, $1) }
    defer { try? removeFile(rawPath: temporary) }
    try call("listen") { Glibc.listen(socket.number, backlog) }
    try call("link") { unsafe link(terminated(temporary), terminated(path)) }
    try setNonBlocking(socket.number)
    return socket
}

/// Removes a file whose path need not be UTF-8.
///
/// C: `unlink`.
/// - Parameter path: the path.
/// - Throws: ``SystemError``; ENOENT when there is none.
public func removeFile(rawPath path: [UInt8]) throws(SystemError) {
    try call("unlink") { unsafe unlink(terminated(path)) }
}

/// The user at the other end of a local socket, as the kernel knows it.
///
/// C: `getsockopt(SO_PEERCRED)`.
/// - Parameter number: a connected local socket.
/// - Returns: the effective user id it connected with.
/// - Throws: ``SystemError``.
public func peerUser(of number: Int32) throws(SystemError) -> UInt32 {
    // struct ucred (unix(7)): process, user and group, 32 bits each; <sys/socket.h> has it for
    // _GNU_SOURCE only.
    var credentials: [UInt32] = [0, 0, 0]
    var size = socklen_t(credentials.count * MemoryLayout<UInt32>.size)
    try call("getsockopt") {
        unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
    }
    return credentials[1]
}

private func makeLocalSocket() throws(SystemError) -> Descriptor {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    return Descriptor(owning: try call("socket") { socket(AF_UNIX, kind, 0) })
}

private func onLocalAddress(
    _ name: String,
    _ path: [UInt8],
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) throws(SystemError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isLong = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
        if path.count >= room.count { return true }
        unsafe room.copyBytes(from: path)
        return false
    }
    if isLong || path.isEmpty { throw SystemError(name, code: isLong ? ENAMETOOLONG : ENOENT) }
    try call(name) {
        unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
