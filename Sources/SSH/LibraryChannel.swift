internal import CLibSSH
public import Posix

/// One channel of a session of our own, by libssh.
///
/// What arrives is handed to ``onData`` as it comes, both streams in the order of the wire. What
/// that does not take stays in a buffer that is bounded by the receive window; ``drain()`` hands
/// it on. The window is topped up as bytes are taken, never before.
@safe public final class LibraryChannel: Channel {
    /// What a channel leads to.
    public enum Kind: Sendable {
        /// A shell, command or subsystem (RFC 4254 §6.1).
        case session
        /// A TCP connection from the server on (RFC 4254 §7.2).
        case directTCP(host: String, port: UInt16, originHost: String, originPort: UInt16)
        /// A connection to a Unix socket on the server (OpenSSH's PROTOCOL §2.4).
        case directUnix(path: String)
        /// A connection to a port that the server listens on for us (RFC 4254 §7.2).
        case forwardedTCP(ServerChannelRequest)
        /// A connection to the forwarded agent (OpenSSH's PROTOCOL.agent).
        case agent
        /// A client of the forwarded display (RFC 4254 §6.3.2).
        case x11(ServerChannelRequest)
    }

    /// Takes what arrives; answers how many bytes it took, which may be 0.
    ///
    /// The second value tells standard error from standard output. Called while libssh reads, so
    /// nothing in it may wait; it may be called during ``write(_:)`` as well.
    ///
    /// Until it is set everything is kept, for a command's first and last words may come together
    /// with the server's answer to the request that started it; it gets them when it is set.
    public var onData: (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int = { _, _ in 0 } {
        didSet { drain() }
    }

    /// The session, which lives at least as long.
    public let session: Session
    /// What the channel leads to.
    public let kind: Kind
    /// The remote process's status.
    public internal(set) var exitStatus: Int?
    /// The signal the remote process died of, when the server says so.
    public internal(set) var exitSignal: ExitSignal?

    /// libssh's channel; nil once it is freed.
    var handle: OpaquePointer?
    var hasReceivedEOF = false
    var hasReceivedClose = false
    var window = ReceiveWindow()
    private let standardOutput = ReceiveBuffer(isStandardError: false)
    private let standardError = ReceiveBuffer(isStandardError: true)
    private let callbacks: UnsafeMutablePointer<ssh_channel_callbacks_struct>

    init(session: Session, kind: Kind) {
        self.session = session
        self.kind = kind
        unsafe callbacks = .allocate(capacity: 1)
        unsafe callbacks.initialize(to: ssh_channel_callbacks_struct())
        session.register(self)
    }

    deinit {
        if let handle = unsafe handle {
            session.inLibrary {
                // Until the other side's CLOSE libssh calls back even into a freed channel.
                unsafe ssh_remove_channel_callbacks(handle, callbacks)
                unsafe ssh_channel_free(handle)
            }
        }
        unsafe callbacks.deallocate()
    }

    // MARK: - Opening

    /// Opens the channel.
    /// - Throws: ``SSHError/openRefused(code:text:)`` when the server will not; the session's
    ///   failure when it has ended.  C: `ssh_channel_open_session`, `ssh_channel_open_forward`.
    public func open() throws(SSHError) -> Attempt<Void> {
        if let failure = session.failure { throw failure }
        let handle = unsafe try makeHandle()
        if isUnanswered { return .again }
        let before = session.notes.createdChannel
        let code = session.inLibrary(least: SSH_LOG_PROTOCOL) { unsafe callOpen(handle) }
        if session.notes.createdChannel != before { number = session.notes.createdChannel }
        session.noteFailure()
        switch code {
        case SSH_OK:
            let now = readClock()
            window.open(after: session.noteRoundTrip(now - (openingSince ?? now)))
            raiseWindow()
            return .done(())
        case SSH_AGAIN: return .again
        default: throw openFailure()
        }
    }

    /// Whether the server has been asked and the session has not read its answer yet.
    ///
    /// libssh would read from the socket at each call, and thousands of channels may be waiting.
    private var isUnanswered: Bool {
        guard number != 0, let handle = unsafe handle else { return false }
        return unsafe ssh_channel_is_open(handle) == 0
            && session.notes.refusedChannels[number] == nil
    }

    private var number: UInt32 = 0
    private var openingSince: Instant?
    /// When the request that goes on was sent.
    var requestSince: Instant?

    private func makeHandle() throws(SSHError) -> OpaquePointer {
        if let handle = unsafe handle { return unsafe handle }
        guard let new = unsafe session.inLibrary({ unsafe ssh_channel_new(session.handle) }) else {
            throw .refused("a channel needs a login")
        }
        unsafe handle = new
        openingSince = readClock()
        unsafe installCallbacks(new)
        return unsafe new
    }

    private func callOpen(_ handle: OpaquePointer) -> Int32 {
        switch kind {
        case .session: unsafe ssh_channel_open_session(handle)
        case .directTCP(let host, let port, let originHost, let originPort):
            unsafe ssh_channel_open_forward(
                handle,
                host,
                Int32(port),
                originHost,
                Int32(originPort)
            )
        case .directUnix(let path): unsafe ssh_channel_open_forward_unix(handle, path, "", 0)
        // The server has opened it.
        case .forwardedTCP, .agent, .x11: SSH_OK
        }
    }

    /// - Returns: the reason out of `NUMBER error (CODE) TEXT`.
    private func openFailure() -> SSHError {
        if let failure = session.failure { return failure }
        guard let reason = session.notes.refusedChannels.removeValue(forKey: number) else {
            return .refused(session.libraryError)
        }
        let code = UInt32(reason.suffix(after: "error (")?.prefix { $0.isNumber } ?? "") ?? 0
        return .openRefused(code: code, text: printable(reason.suffix(after: ") ") ?? ""))
    }

    // MARK: - Receiving

    /// Hands on what ``onData`` did not take before; to be called when it can take more.
    public func drain() {
        guard let handle = unsafe handle else { return }
        let before = unreadCount
        session.inLibrary {
            unsafe standardOutput.drain(handle, into: onData)
            unsafe standardError.drain(handle, into: onData)
        }
        window.take(before - min(before, unreadCount))
        session.noteFailure()
        settle()
    }

    /// libssh has a packet for us.
    /// - Returns: bytes taken.
    func receive(_ data: UnsafeRawBufferPointer, isStandardError: Bool) -> Int {
        let count =
            if isStandardError {
                unsafe standardError.receive(data, into: onData)
            } else {
                unsafe standardOutput.receive(data, into: onData)
            }
        window.take(count)
        // libssh takes what comes beyond the window, and memory has an end.
        if unreadCount > 2 * ReceiveWindow.most {
            session.violated("the server sends more than it may")
        }
        return count
    }

    private var unreadCount: Int { standardOutput.count + standardError.count }

    /// Whether everything has been received and handed on that the server will send, also because
    /// the session has ended.
    public var remoteEOF: Bool { hasReceivedEOF && unreadCount == 0 }

    /// Whether the server has closed the channel and nothing is left to hand on.
    ///
    /// A session that failed does not close its channels: that is for ``Session/failure`` to tell.
    public var isClosed: Bool { hasReceivedClose && unreadCount == 0 }

    /// After libssh has read: gives the server back the window of what has been taken.
    func settle() {
        if window.isDue && unreadCount == 0 && !hasReceivedEOF { raiseWindow() }
    }

    private func raiseWindow() {
        guard let handle = unsafe handle, let size = window.raise() else { return }
        session.inLibrary {
            unsafe session.scratch.raiseWindow(of: handle, to: size) { unsafe receive($0) }
        }
        session.noteFailure()
    }

    /// What the call that raises the window has read by the way.
    private func receive(_ data: UnsafeRawBufferPointer) {
        unsafe standardOutput.keep(data)
        let before = standardOutput.count
        unsafe standardOutput.drain(nil, into: onData)
        window.take(before - standardOutput.count)
    }

    /// The session is over; what libssh holds of it can no longer be read.
    /// - Parameter freed: whether libssh has freed its channels, as a disconnect does.
    func sessionEnded(freed: Bool) {
        hasReceivedEOF = true
        if freed {
            hasReceivedClose = true
            unsafe handle = nil
        }
        standardOutput.forgetLibrary()
        standardError.forgetLibrary()
    }

    // MARK: - Callbacks

    func installCallbacks(_ handle: OpaquePointer) {
        unsafe callbacks.pointee.size = MemoryLayout<ssh_channel_callbacks_struct>.size
        unsafe callbacks.pointee.userdata = Unmanaged.passUnretained(self).toOpaque()
        unsafe callbacks.pointee.channel_data_function = { _, _, data, count, isError, user in
            guard let user = unsafe user else { return 0 }
            let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(count))
            return Int32(
                unsafe channel(user).receive(bytes, isStandardError: isError != 0)
            )
        }
        unsafe callbacks.pointee.channel_eof_function = { _, _, user in
            if let user = unsafe user { unsafe channel(user).hasReceivedEOF = true }
        }
        unsafe callbacks.pointee.channel_close_function = { _, _, user in
            guard let user = unsafe user else { return }
            unsafe channel(user).hasReceivedClose = true
            unsafe channel(user).hasReceivedEOF = true
        }
        unsafe callbacks.pointee.channel_exit_status_function = { _, _, status, user in
            if let user = unsafe user { unsafe channel(user).exitStatus = Int(status) }
        }
        unsafe callbacks.pointee.channel_exit_signal_function = {
            _,
            _,
            name,
            core,
            message,
            _,
            user in
            guard let user = unsafe user else { return }
            unsafe channel(user).exitSignal = ExitSignal(
                name: unsafe text(name),
                coreDumped: core != 0,
                message: unsafe text(message)
            )
        }
        unsafe ssh_add_channel_callbacks(handle, callbacks)
    }
}

private func channel(_ user: UnsafeMutableRawPointer) -> LibraryChannel {
    unsafe Unmanaged<LibraryChannel>.fromOpaque(user).takeUnretainedValue()
}

extension Session {
    /// Makes a channel for a shell, command or subsystem; it is not open yet.
    public func openSession() -> any Channel { LibraryChannel(session: self, kind: .session) }

    /// Makes a channel to a TCP port as the server sees it; it is not open yet.
    /// - Parameters:
    ///   - host: a name or address the server resolves.
    ///   - port: 1 to 65535.
    ///   - originHost: where the connection comes from, for the server's log.
    ///   - originPort: the port it comes from.
    /// - Returns: the channel.
    public func openDirectTCP(
        host: String,
        port: UInt16,
        originHost: String,
        originPort: UInt16
    ) -> any Channel {
        LibraryChannel(
            session: self,
            kind: .directTCP(
                host: host,
                port: port,
                originHost: originHost,
                originPort: originPort
            )
        )
    }
}
