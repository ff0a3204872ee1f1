internal import CLibSSH
public import Posix

extension LibraryChannel {
    /// What is written at a time: libssh keeps what the socket does not take, without a bound.
    static let writeLimit = 65_536

    /// Whether ``write(_:)`` would take something now.
    ///
    /// False while the server's window is closed or libssh still holds bytes the socket has not
    /// taken; it becomes true in a later turn of the loop.
    public var canWrite: Bool {
        guard let handle = unsafe handle, session.failure == nil, !hasReceivedClose else {
            return false
        }
        return unsafe ssh_get_status(session.handle) & SSH_WRITE_PENDING == 0
            && ssh_channel_window_size(handle) > 0
    }

    /// Sends what the window allows, at most 64 KiB.
    /// - Parameter bytes: what to send.
    /// - Returns: bytes taken; 0 when ``canWrite`` is false, or keys are being exchanged.
    /// - Throws: the session's failure; ``SSHError/refused(_:)`` when the channel is closed or
    ///   EOF was sent.  C: `ssh_channel_write`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int {
        if let failure = session.failure { throw failure }
        guard let handle = unsafe handle, !hasReceivedClose else {
            throw .refused("the channel is closed")
        }
        guard canWrite, unsafe !bytes.isEmpty else { return 0 }
        let window = Int(unsafe ssh_channel_window_size(handle))
        let count = min(bytes.count, LibraryChannel.writeLimit, window)
        let written = session.inLibrary {
            unsafe ssh_channel_write(handle, bytes.baseAddress, UInt32(count))
        }
        session.noteFailure()
        if let failure = session.failure { throw failure }
        guard written >= 0 else { throw .refused(session.libraryError) }
        return Int(written)
    }

    /// Tells the server that nothing more comes; receiving goes on (RFC 4254 §5.3).
    ///
    /// C: `ssh_channel_send_eof`.
    public func sendEOF() {
        guard let handle = unsafe handle, !hasReceivedClose else { return }
        session.inLibrary { _ = unsafe ssh_channel_send_eof(handle) }
        session.noteFailure()
    }

    /// Closes our side (RFC 4254 §5.3).
    ///
    /// C: `ssh_channel_close`, which says AGAIN when it has put EOF into a socket that is not known
    /// to be empty, and once more for CLOSE; no event would tell when to call it again.
    /// - Returns: ``Attempt/again`` until CLOSE is on its way.
    public func close() -> Attempt<Void> {
        guard let handle = unsafe handle, session.failure == nil else { return .done(()) }
        var code = SSH_AGAIN
        session.inLibrary {
            for _ in 0..<3 where code == SSH_AGAIN { code = unsafe ssh_channel_close(handle) }
        }
        session.noteFailure()
        return code == SSH_AGAIN && session.failure == nil ? .again : .done(())
    }
}
