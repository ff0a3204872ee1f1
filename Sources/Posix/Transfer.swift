internal import Glibc

/// Reads what is there, up to the size of a buffer.
///
/// C: `read`.
/// - Parameters:
///   - number: a descriptor that poll has said is readable, or that is non-blocking.
///   - buffer: where the bytes go.
/// - Returns: the bytes read, 0 at the end; ``Attempt/again`` when nothing is there now.
/// - Throws: ``SystemError``.
public func read(
    _ number: Int32,
    into buffer: UnsafeMutableRawBufferPointer
) throws(SystemError) -> Attempt<Int> {
    try attempt("read") { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
}

/// Writes what is taken now.
///
/// C: `write`.
/// - Parameters:
///   - number: a descriptor that poll has said is writable, or that is non-blocking.
///   - bytes: what to write.
/// - Returns: the bytes taken; ``Attempt/again`` when none is taken now.
/// - Throws: ``SystemError``; EPIPE when there is no reader (SIGPIPE is ignored by the process).
public func write(
    _ number: Int32,
    _ bytes: UnsafeRawBufferPointer
) throws(SystemError) -> Attempt<Int> {
    try attempt("write") { unsafe Glibc.write(number, bytes.baseAddress, bytes.count) }
}

/// Writes all of a few bytes, waiting where it must; for messages and prompts, not for streams.
/// - Parameters:
///   - number: an open descriptor.
///   - bytes: what to write.
/// - Throws: ``SystemError``.
public func writeAll(_ number: Int32, _ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let taken = unsafe rest.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in unsafe try write(number, bytes) }
        }
        switch try taken.get() {
        case .done(let count): rest = rest.dropFirst(count)
        case .again: try waitFor(number, .write, until: nil)
        }
    }
}
