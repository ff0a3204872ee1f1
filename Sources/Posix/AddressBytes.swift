internal import Glibc

/// Reads an address in digits.
///
/// C: `inet_pton`.
/// - Parameter text: such as `192.0.2.1` or `2001:db8::1`, without a zone or brackets.
/// - Returns: the bytes in network order, 4 for IPv4 and 16 for IPv6; nil for anything else.
public func addressBytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if unsafe inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
    return unsafe inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
}
