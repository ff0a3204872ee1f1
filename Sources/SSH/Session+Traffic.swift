internal import CLibSSH
internal import Posix

extension Session {
    /// Marks the packets of the connection from here on (IPQoS); nothing happens behind a proxy.
    ///
    /// C: `ssh_packet_set_tos` in OpenSSH's packet.c.
    /// - Parameter value: the type of service, 0 to 255.
    public func setTrafficClass(_ value: Int32) {
        let number = unsafe ssh_get_fd(handle)
        if number >= 0 { try? Posix.setTrafficClass(number, value) }
    }
}
