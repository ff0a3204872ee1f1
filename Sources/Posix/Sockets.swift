internal import Glibc

/// Makes a stream socket that never blocks and is closed on exec.
///
/// C: `socket`.
/// - Parameter family: the family of the addresses it will have.
/// - Returns: a socket that is not connected yet.
/// - Throws: ``SystemError``; EAFNOSUPPORT where there is no IPv6.
public func makeStreamSocket(_ family: SocketFamily) throws(SystemError) -> Descriptor {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    return Descriptor(owning: try call("socket") { socket(family.number, kind, 0) })
}

/// Begins to connect a non-blocking socket.
///
/// C: `connect`.
/// - Parameters:
///   - number: a socket.
///   - address: where to.
/// - Returns: ``Attempt/again`` when it goes on: the socket is then writable when it has ended,
///   and ``finishConnecting(_:)`` tells how.
/// - Throws: ``SystemError``.
public func beginConnecting(
    _ number: Int32,
    to address: SocketAddress
) throws(SystemError) -> Attempt<Void> {
    let result = unsafe address.withPointer { unsafe connect(number, $0, $1) }
    if result == 0 { return .done(()) }
    switch errno {
    // An interrupted connect goes on by itself (connect(2)).
    case EINPROGRESS, EINTR: return .again
    // A local socket whose queue is full gives EAGAIN and does not go on.
    case let code: throw SystemError("connect", address.host, code: code)
    }
}

/// Tells how a connect has ended, once its socket is writable.
///
/// C: `getsockopt(SO_ERROR)`.
/// - Parameter number: the socket.
/// - Throws: ``SystemError`` with the reason why there is no connection.
public func finishConnecting(_ number: Int32) throws(SystemError) {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    try call("getsockopt") { unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) }
    if code != 0 { throw SystemError("connect", code: code) }
}

/// Gives a socket its own address.
///
/// C: `bind`.
/// - Parameters:
///   - number: a socket.
///   - address: the address; port 0 stands for any free one.
/// - Throws: ``SystemError`` with the address as its subject.
public func bindSocket(_ number: Int32, to address: SocketAddress) throws(SystemError) {
    try call("bind", address.host) { unsafe address.withPointer { unsafe bind(number, $0, $1) } }
}

/// Makes a socket that takes connections; an IPv6 one takes no IPv4 connections.
///
/// C: `socket`, `setsockopt(SO_REUSEADDR)`, `bind`, `listen`.
/// - Parameters:
///   - address: where; port 0 stands for any free one.
///   - backlog: how many may wait; 128 as OpenSSH.
/// - Returns: the listening socket.
/// - Throws: ``SystemError``; EADDRINUSE.
public func listen(
    on address: SocketAddress,
    backlog: Int32 = 128
) throws(SystemError) -> Descriptor {
    let listener = try makeStreamSocket(address.family)
    if address.family != .local {
        try setOption(listener.number, SOL_SOCKET, SO_REUSEADDR, 1)
    }
    if address.family == .ipv6 {
        try setOption(listener.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
    }
    try bindSocket(listener.number, to: address)
    try call("listen", address.host) { Glibc.listen(listener.number, backlog) }
    return listener
}

/// Takes a connection that waits; it never blocks and is closed on exec.
///
/// C: `accept`.
/// - Parameter number: a listening socket.
/// - Returns: the connection; nil when none waits.
/// - Throws: ``SystemError``; EMFILE and ECONNABORTED are of the moment.
public func acceptConnection(_ number: Int32) throws(SystemError) -> Descriptor? {
    switch try attempt("accept", { accept(number, nil, nil) }) {
    case .again:
        return nil
    case .done(let accepted):
        let connection = Descriptor(owning: accepted)
        try call("fcntl") { fcntl(connection.number, F_SETFD, FD_CLOEXEC) }
        try setNonBlocking(connection.number)
        return connection
    }
}

/// Says that nothing more will be written, while reading goes on.
///
/// C: `shutdown(SHUT_WR)`.
/// - Parameter number: a connected socket.
/// - Throws: ``SystemError``; ENOTCONN when the other end is gone.
public func shutDownWriting(_ number: Int32) throws(SystemError) {
    try call("shutdown") { shutdown(number, Int32(SHUT_WR)) }
}

/// The address of our end of a connection.
///
/// C: `getsockname`.
/// - Parameter number: a socket.
/// - Returns: the address.
/// - Throws: ``SystemError``; ENOTSOCK.
public func localAddress(of number: Int32) throws(SystemError) -> SocketAddress {
    unsafe try SocketAddress.filled("getsockname") { unsafe getsockname(number, $0, $1) }
}

/// The address of the other end of a connection.
///
/// C: `getpeername`.
/// - Parameter number: a socket.
/// - Returns: the address.
/// - Throws: ``SystemError``; ENOTCONN, ENOTSOCK.
public func peerAddress(of number: Int32) throws(SystemError) -> SocketAddress {
    unsafe try SocketAddress.filled("getpeername") { unsafe getpeername(number, $0, $1) }
}
