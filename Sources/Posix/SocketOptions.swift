internal import Glibc

/// Sends small packets at once, as interactive work needs it.
///
/// C: `setsockopt(TCP_NODELAY)`.
/// - Parameter number: a TCP socket.
/// - Throws: ``SystemError``; EOPNOTSUPP for what is no TCP socket.
public func setNoDelay(_ number: Int32) throws(SystemError) {
    try setOption(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
}

/// Lets the system find out that the other end is gone (TCPKeepAlive).
///
/// C: `setsockopt(SO_KEEPALIVE)`.
/// - Parameter number: a socket.
/// - Throws: ``SystemError``.
public func setKeepAlive(_ number: Int32) throws(SystemError) {
    try setOption(number, SOL_SOCKET, SO_KEEPALIVE, 1)
}

/// Marks the packets of a connection (IPQoS); nothing happens to what is no IP socket.
///
/// C: `setsockopt(IP_TOS)`, `setsockopt(IPV6_TCLASS)`.
/// - Parameters:
///   - number: a socket.
///   - value: the type of service, 0 to 255.
/// - Throws: ``SystemError``.
public func setTrafficClass(_ number: Int32, _ value: Int32) throws(SystemError) {
    guard let address = try? localAddress(of: number) else { return }
    switch address.family {
    case .ipv4: try setOption(number, Int32(IPPROTO_IP), IP_TOS, value)
    case .ipv6: try setOption(number, Int32(IPPROTO_IPV6), IPV6_TCLASS, value)
    case .local: break
    }
}

func setOption(
    _ number: Int32,
    _ level: Int32,
    _ option: Int32,
    _ value: Int32
) throws(SystemError) {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    try call("setsockopt", "\(number)") { unsafe setsockopt(number, level, option, &value, size) }
}
