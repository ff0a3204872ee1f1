internal import CReadAhead

/// What was read from a session's socket before libssh asked for it.
///
/// It is filled and emptied by libssh's own calls, so it may hold bytes after any of them, for which
/// poll(2) will not wake the loop: ``isEmpty`` tells.
@safe final class ReadAhead {
    /// As much as a socket has at once on a fast link; it stays within a processor's cache.
    private static let capacity = 128 << 10

    private let reader: UnsafeMutablePointer<read_ahead>

    /// - Parameter socket: a stream socket that libssh alone reads.
    init(socket: Int32) {
        unsafe reader = .allocate(capacity: 1)
        unsafe reader.initialize(
            to: read_ahead(
                socket: socket,
                bytes: .allocate(capacity: ReadAhead.capacity),
                capacity: ReadAhead.capacity,
                start: 0,
                end: 0,
                limit: 0
            )
        )
    }

    deinit {
        unsafe reader.pointee.bytes.deallocate()
        unsafe reader.deallocate()
    }

    /// Whether libssh has had all that was read.
    var isEmpty: Bool { unsafe reader.pointee.start == reader.pointee.end }

    /// Whether libssh is given one byte at a time, so that nothing of the next packet comes with the
    /// end of one: it would be begun in the buffer that an answer is still to be read from.
    var isInSmallPieces: Bool {
        get { unsafe reader.pointee.limit > 0 }
        set { unsafe reader.pointee.limit = newValue ? 1 : 0 }
    }

    /// Reads ahead in all that `body` calls on this thread.
    /// - Returns: what `body` gave.
    func during<Result>(_ body: () -> Result) -> Result {
        let before = unsafe read_ahead_use(reader)
        defer { unsafe _ = read_ahead_use(before) }
        return body()
    }
}
