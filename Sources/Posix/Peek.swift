internal import Glibc

/// Looks at what a socket has to read without taking it.
///
/// C: `recv(MSG_PEEK)`.
/// - Parameters:
///   - number: a non-blocking socket.
///   - count: how many bytes at most.
/// - Returns: the bytes; none when the other end has closed; again when there is nothing yet.
/// - Throws: ``SystemError``; ECONNRESET.
public func peek(_ number: Int32, count: Int) throws(SystemError) -> Attempt<[UInt8]> {
    var bytes = [UInt8](repeating: 0, count: count)
    switch try attempt("recv", { unsafe recv(number, &bytes, count, Int32(MSG_PEEK)) }) {
    case .again: return .again
    case .done(let length): return .done(Array(bytes.prefix(length)))
    }
}
