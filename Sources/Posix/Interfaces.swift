internal import Glibc

/// The address that a network interface lends to a connection (BindInterface).
///
/// One that others can reach comes before a loopback or link-local one, as OpenSSH chooses
/// (sshconnect.c, `check_ifaddrs`).
///
/// C: `getifaddrs`.
/// - Parameters:
///   - interface: its name, such as `eth0`.
///   - family: IPv4 or IPv6.
/// - Returns: nil when the interface is down, unknown, or has no such address.
/// - Throws: ``SystemError``.
public func interfaceAddress(
    _ interface: String,
    _ family: SocketFamily
) throws(SystemError) -> SocketAddress? {
    let addresses = try interfaceAddresses().filter { $0.name == interface && $0.isUp }
        .map(\.address).filter { $0.family == family }
    return addresses.first { !$0.isLoopback && !$0.isLinkLocal } ?? addresses.first
}

/// One address of one network interface.
public struct InterfaceAddress: Sendable, Equatable {
    /// The interface's name, such as `eth0`.
    public let name: String
    /// The address; its port says nothing.
    public let address: SocketAddress
    /// Whether the interface is up.
    public let isUp: Bool
    /// Whether it is the loopback interface.
    public let isLoopback: Bool
}

/// All IP addresses of this machine's network interfaces.
///
/// C: `getifaddrs`.
/// - Returns: in the system's order.
/// - Throws: ``SystemError``.
public func interfaceAddresses() throws(SystemError) -> [InterfaceAddress] {
    var first: UnsafeMutablePointer<ifaddrs>? = nil
    try call("getifaddrs") { unsafe getifaddrs(&first) }
    defer { unsafe freeifaddrs(first) }
    var found: [InterfaceAddress] = []
    var next = unsafe first
    while let entry = unsafe next?.pointee {
        unsafe next = entry.ifa_next
        guard let name = unsafe entry.ifa_name, let socket = unsafe entry.ifa_addr else { continue }
        let isIPv6 = unsafe Int32(socket.pointee.sa_family) == AF_INET6
        let length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        guard let address = unsafe SocketAddress(socket, length: socklen_t(length)),
            address.family != .local
        else { continue }
        let flags = unsafe entry.ifa_flags
        found.append(
            InterfaceAddress(
                name: unsafe String(cString: name),
                address: address,
                isUp: flags & UInt32(IFF_UP) != 0,
                isLoopback: flags & UInt32(IFF_LOOPBACK) != 0
            )
        )
    }
    return found
}
