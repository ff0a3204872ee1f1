internal import Glibc

/// Hears of it when an interface, an address or a route of this machine changes: a source of the loop.
///
/// What has changed is not told: whoever has a connection asks it for a sign of life.
///
/// Linux: `netlink(7)`, `rtnetlink(7)`; elsewhere there is none.
public final class NetworkChanges: Source {
    /// How often something has changed; several changes at once may count as one.
    public private(set) var count = 0
    /// None: it waits for what is told.
    public let deadline: Instant? = nil

    private let socket: Descriptor
    private var slot: PollSet.Slot?

    /// Begins to listen.
    /// - Throws: ``SystemError``; EAFNOSUPPORT where there is nothing to listen to.
    public init() throws(SystemError) {
        #if os(Linux)
        socket = try listenToRoutes()
        #else
        throw SystemError("socket", code: EAFNOSUPPORT)
        #endif
    }

    /// Waits for what the system tells.
    public func watch(_ set: inout PollSet) { slot = set.watch(socket.number, .read) }

    /// Counts what it has told.
    public func ready(_ set: PollSet, now: Instant) {
        if set[slot].isEmpty { return }
        count += 1
        var message = [UInt8](repeating: 0, count: 8192)
        // An overflow (ENOBUFS) is told once, and more may be behind it.
        while true {
            let length = unsafe recv(socket.number, &message, message.count, dontWait)
            if length == -1 && errno != EINTR && errno != ENOBUFS { return }
        }
    }
}

#if os(Linux)
private let dontWait = Int32(MSG_DONTWAIT)

/// `struct sockaddr_nl`.
private struct NetlinkAddress {
    var family = UInt16(AF_NETLINK)
    var padding: UInt16 = 0
    var process: UInt32 = 0
    var groups: UInt32
}

/// RTMGRP_LINK, and RTMGRP_IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE.
private let groups: UInt32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
/// NETLINK_ROUTE.
private let routeProtocol: Int32 = 0

private func listenToRoutes() throws(SystemError) -> Descriptor {
    let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let socket = Descriptor(
        owning: try call("socket", "netlink") { Glibc.socket(AF_NETLINK, kind, routeProtocol) }
    )
    var address = NetlinkAddress(groups: groups)
    let size = socklen_t(MemoryLayout<NetlinkAddress>.size)
    _ = try call("bind", "netlink") {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.number, $0, size)
            }
        }
    }
    return socket
}
#endif
