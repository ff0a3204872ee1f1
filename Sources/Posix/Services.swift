internal import Glibc

/// The port of a TCP service, such as 22 of `ssh`.
///
/// C: `getservbyname`.
/// - Parameter name: a name of /etc/services.
/// - Returns: nil when there is no such service.
public func servicePort(_ name: String) -> Int? {
    guard let entry = unsafe getservbyname(name, "tcp")?.pointee else { return nil }
    return Int(UInt16(truncatingIfNeeded: unsafe entry.s_port).byteSwapped)
}
