internal import Glibc

/// The families of addresses a connection can have.
public enum SocketFamily: Sendable, Hashable {
    /// IPv4
    case ipv4
    /// IPv6
    case ipv6
    /// A path on this machine.
    case local

    var number: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .local: AF_UNIX
        }
    }
}

/// The address of one end of a connection, as the system knows it.
public struct SocketAddress: Sendable, Hashable {
    /// The sockaddr's bytes, as many as it has.
    let bytes: [UInt8]
    /// Its family.
    public let family: SocketFamily

    /// Copies a C address.
    /// - Returns: nil for a family that has no place here.
    init?(_ address: UnsafePointer<sockaddr>?, length: socklen_t) {
        guard let address = unsafe address else { return nil }
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size: family = .ipv4
        case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size: family = .ipv6
        case AF_UNIX: family = .local
        default: return nil
        }
        bytes = unsafe Array(UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// Makes the address of a socket in the file system; nil when the path cannot be one.
    /// - Parameter path: 1 to 107 bytes, none of them zero (unix(7)).
    public init?(path: String) {
        let text = Array(path.utf8)
        guard !text.isEmpty, text.count <= SocketAddress.longestPath, !text.contains(0) else {
            return nil
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: text) }
        bytes = unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }
        family = .local
    }

    /// What sun_path holds beside its zero (unix(7)).
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The address in digits, with the scope of a link-local one; a path for a local socket.
    ///
    /// C: `getnameinfo(NI_NUMERICHOST)`.
    public var host: String {
        if family == .local {
            let start = MemoryLayout<sa_family_t>.size
            return String(decoding: bytes.dropFirst(start).prefix { $0 != 0 }, as: UTF8.self)
        }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let size = socklen_t(name.count)
        let code = unsafe withPointer { address, length in
            unsafe getnameinfo(address, length, &name, size, nil, 0, NI_NUMERICHOST)
        }
        return code == 0 ? text(ofZeroEnded: name) : ""
    }

    /// The port, 0 to 65535; 0 for a local socket.
    public var port: UInt16 {
        // sin_port and sin6_port are in one place: after the family, in network order.
        family == .local ? 0 : UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// The same host with another port.
    /// - Parameter port: 0 to 65535.
    /// - Returns: the address itself when it is a local socket.
    public func with(port: UInt16) -> SocketAddress {
        if family == .local { return self }
        var changed = bytes
        changed[2] = UInt8(port >> 8)
        changed[3] = UInt8(port & 0xff)
        return SocketAddress(bytes: changed, family: family)
    }

    /// Whether it is this machine's loopback: 127.0.0.0/8 or ::1.
    ///
    /// For these OpenSSH trusts a host key in more cases (sshconnect.c, `sockaddr_is_local`).
    public var isLoopback: Bool {
        switch family {
        case .ipv4: bytes[4] == 127
        case .ipv6: bytes[8..<24].elementsEqual([UInt8](repeating: 0, count: 15) + [1])
        case .local: true
        }
    }

    /// Whether it is an IPv6 address that is only valid on one link: fe80::/10.
    public var isLinkLocal: Bool { family == .ipv6 && bytes[8] == 0xfe && bytes[9] & 0xc0 == 0x80 }

    private init(bytes: [UInt8], family: SocketFamily) {
        self.bytes = bytes
        self.family = family
    }

    /// Lends the C address.
    func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyBytes(from: bytes.prefix($0.count))
        }
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(bytes.count))
            }
        }
    }

    /// Takes the address that a C function fills in.
    static func filled(
        _ name: String,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try call(name) {
            unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe body(address, &length)
                }
            }
        }
        let address = unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe SocketAddress(address, length: length)
            }
        }
        guard let address else { throw SystemError(name, code: EAFNOSUPPORT) }
        return address
    }
}
