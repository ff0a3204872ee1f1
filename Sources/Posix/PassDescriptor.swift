internal import Glibc

// Layout of the control message (cmsg(3)), whose macros C alone can use:
//
//     | length: size_t | level: int | type: int | descriptor: int | padding |
//
// The header's size is a multiple of size_t's, so the descriptor follows at once.
private let headerSize = MemoryLayout<cmsghdr>.size
private let messageSize = headerSize + MemoryLayout<Int32>.size
private let spaceSize = headerSize + MemoryLayout<Int>.size
/// SCM_RIGHTS of sys/socket.h.
private let rights: Int32 = 1
/// MSG_CMSG_CLOEXEC of sys/socket.h (Linux).
private let closeOnExec: Int32 = 0x4000_0000

/// Takes a descriptor that the other end of a local socket sends, with its one byte of data.
///
/// C: `recvmsg(SCM_RIGHTS)`; the other side is OpenSSH's monitor_fdpass.c or `nc -F`.
/// - Parameter number: a local stream socket.
/// - Returns: the descriptor, closed on exec; ``Attempt/again`` when nothing is there now.
/// - Throws: ``SystemError``; ENOTCONN at the end of the stream, EBADMSG when there came bytes
///   without a descriptor.
public func receiveDescriptor(_ number: Int32) throws(SystemError) -> Received {
    var control = [UInt8](repeating: 0, count: spaceSize)
    let received = try attempt("recvmsg") {
        unsafe withMessage(&control) { message in
            unsafe recvmsg(number, message, closeOnExec)
        }
    }
    switch received {
    case .again: return .again
    case .done(0): throw SystemError("recvmsg", code: ENOTCONN)
    case .done:
        let header = unsafe control.withUnsafeBytes { unsafe $0.loadUnaligned(as: cmsghdr.self) }
        guard header.cmsg_len == messageSize, header.cmsg_level == SOL_SOCKET,
            header.cmsg_type == rights
        else { throw SystemError("recvmsg", code: EBADMSG) }
        let descriptor = unsafe control.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: headerSize, as: Int32.self)
        }
        return .descriptor(Descriptor(owning: descriptor))
    }
}

/// What ``receiveDescriptor(_:)`` gave.
@frozen
public enum Received: ~Copyable {
    /// The descriptor is ours now.
    case descriptor(Descriptor)
    /// Nothing is there now.
    case again
}

/// Sends a descriptor to the other end of a local socket, with one byte of data; ours stays open.
///
/// C: `sendmsg(SCM_RIGHTS)`; the other side is OpenSSH's monitor_fdpass.c.
/// - Parameters:
///   - descriptor: the open descriptor to send.
///   - number: a local stream socket.
/// - Returns: ``Attempt/again`` when there is no room now.
/// - Throws: ``SystemError``; EPIPE.
public func sendDescriptor(
    _ descriptor: Int32,
    over number: Int32
) throws(SystemError) -> Attempt<Void> {
    var header = cmsghdr()
    header.cmsg_len = messageSize
    header.cmsg_level = SOL_SOCKET
    header.cmsg_type = rights
    var control = unsafe withUnsafeBytes(of: header) { unsafe Array($0) }
    control += unsafe withUnsafeBytes(of: descriptor) { unsafe Array($0) }
    control += [UInt8](repeating: 0, count: spaceSize - control.count)
    let sent = try attempt("sendmsg") {
        unsafe withMessage(&control) { message in
            unsafe sendmsg(number, message, Int32(MSG_NOSIGNAL))
        }
    }
    switch sent {
    case .done: return .done(())
    case .again: return .again
    }
}

/// Lends a message of one zero byte and a control part.
private func withMessage(
    _ control: inout [UInt8],
    _ body: (UnsafeMutablePointer<msghdr>) -> Int
) -> Int {
    var byte: UInt8 = 0
    return unsafe withUnsafeMutablePointer(to: &byte) { byte in
        var part = unsafe iovec(iov_base: byte, iov_len: 1)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
            unsafe control.withUnsafeMutableBytes { control in
                var message = unsafe msghdr()
                unsafe message.msg_iov = part
                unsafe message.msg_iovlen = 1
                unsafe message.msg_control = control.baseAddress
                unsafe message.msg_controllen = control.count
                return unsafe body(&message)
            }
        }
    }
}
