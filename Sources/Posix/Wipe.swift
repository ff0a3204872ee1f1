internal import Glibc

/// Overwrites bytes that were a secret, in a way that no compiler leaves out.
///
/// C: `explicit_bzero`.
/// - Parameter bytes: what is overwritten with zeros and then emptied.
public func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { bytes in
        if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
    }
    bytes.removeAll()
}
