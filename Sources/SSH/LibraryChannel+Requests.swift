internal import CLibSSH
public import Posix

extension LibraryChannel {
    /// Asks for a terminal on the other side (RFC 4254 §6.2).
    /// - Parameters:
    ///   - term: TERM's value.
    ///   - columns: width in characters.
    ///   - rows: height in characters.
    ///   - modes: not sent; libssh 0.10 has no way to.
    /// - Returns: whether the server agreed.
    /// - Throws: the session's failure.  C: `ssh_channel_request_pty_size`.
    public func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        unsafe try request {
            unsafe ssh_channel_request_pty_size($0, term, Int32(columns), Int32(rows))
        }
    }

    /// Lets programs on the server show windows on an X server of this side (RFC 4254 §6.3.1).
    /// - Parameters:
    ///   - name: the protocol of the cookie.
    ///   - cookie: its data in hexadecimal; the server keeps it, so it is not the real one.
    ///   - screen: the screen's number.
    /// - Returns: whether the server agreed.
    /// - Throws: the session's failure.  C: `ssh_channel_request_x11`.
    public func requestX11(
        protocol name: String,
        cookie: String,
        screen: UInt32
    ) throws(SSHError) -> Attempt<Bool> {
        unsafe try request {
            unsafe ssh_channel_request_x11($0, 0, name, cookie, Int32(clamping: screen))
        }
    }

    /// Lets programs on the server ask the user's agent; there is no answer.
    ///
    /// C: `ssh_channel_request_auth_agent`.
    public func requestAgent() {
        unsafe tell { unsafe ssh_channel_request_auth_agent($0) }
    }

    /// Sets an environment variable of the remote process, if the server lets it (RFC 4254 §6.4).
    /// - Throws: the session's failure.  C: `ssh_channel_request_env`.
    public func setEnvironment(_ name: String, _ value: String) throws(SSHError) -> Attempt<Bool> {
        unsafe try request { unsafe ssh_channel_request_env($0, name, value) }
    }

    /// Starts the user's shell (RFC 4254 §6.5).
    /// - Throws: the session's failure.  C: `ssh_channel_request_shell`.
    public func shell() throws(SSHError) -> Attempt<Bool> {
        unsafe try request { unsafe ssh_channel_request_shell($0) }
    }

    /// Starts a command in the user's shell (RFC 4254 §6.5).
    /// - Parameter command: any bytes but NUL, at which it would end.
    /// - Returns: whether the server agreed.
    /// - Throws: the session's failure.  C: `ssh_channel_request_exec`.
    public func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> {
        let text = command.map { CChar(bitPattern: $0) } + [0]
        return unsafe try request { unsafe ssh_channel_request_exec($0, text) }
    }

    /// Starts a subsystem, such as `sftp` (RFC 4254 §6.5).
    /// - Throws: the session's failure.  C: `ssh_channel_request_subsystem`.
    public func subsystem(_ name: String) throws(SSHError) -> Attempt<Bool> {
        unsafe try request { unsafe ssh_channel_request_subsystem($0, name) }
    }

    /// Tells the server the terminal's new size (RFC 4254 §6.7).
    ///
    /// C: `ssh_channel_change_pty_size`.
    public func changeWindow(columns: Int, rows: Int) {
        unsafe tell { unsafe ssh_channel_change_pty_size($0, Int32(columns), Int32(rows)) }
    }

    /// Sends a break on the remote terminal (RFC 4335).
    ///
    /// C: `ssh_channel_request_send_break`.
    /// - Parameter milliseconds: its length; servers take 500 to 3000.
    public func sendBreak(_ milliseconds: UInt32) {
        unsafe tell { unsafe ssh_channel_request_send_break($0, milliseconds) }
    }

    /// Sends a signal to the remote process (RFC 4254 §6.9).
    ///
    /// C: `ssh_channel_request_send_signal`.
    /// - Parameter name: without `SIG`, such as `INT`.
    public func sendSignal(_ name: String) {
        unsafe tell { unsafe ssh_channel_request_send_signal($0, name) }
    }

    private func request(_ call: (OpaquePointer) -> Int32) throws(SSHError) -> Attempt<Bool> {
        if let failure = session.failure { throw failure }
        guard let handle = unsafe handle else { throw .refused("the channel is closed") }
        let start = requestSince ?? readClock()
        requestSince = start
        let code = session.inLibrary { unsafe call(handle) }
        session.noteFailure()
        if let failure = session.failure { throw failure }
        if code == SSH_AGAIN { return .again }
        requestSince = nil
        window.noteRoundTrip(session.noteRoundTrip(readClock() - start))
        return .done(code == SSH_OK)
    }

    /// Sends a request that has no answer.
    private func tell(_ call: (OpaquePointer) -> Int32) {
        guard let handle = unsafe handle, !hasReceivedClose else { return }
        session.inLibrary { _ = unsafe call(handle) }
        session.noteFailure()
    }
}
