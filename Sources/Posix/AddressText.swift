internal import Glibc

/// Writes an address in digits.
///
/// C: `inet_ntop`.
/// - Parameter bytes: in network order, 4 for IPv4 and 16 for IPv6.
/// - Returns: nil for any other number of bytes.
public func addressText(_ bytes: [UInt8]) -> String? {
    let family: Int32
    switch bytes.count {
    case 4: family = AF_INET
    case 16: family = AF_INET6
    default: return nil
    }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let size = socklen_t(text.count)
    guard unsafe inet_ntop(family, bytes, &text, size) != nil else { return nil }
    return Posix.text(ofZeroEnded: text)
}
