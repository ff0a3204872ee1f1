internal import CLibSSH

extension Session {
    /// Answers the channels that the server opens.
    ///
    /// Without a callback they would wait for an answer for ever.  C: `ssh_set_message_callback`.
    func answerServerChannels() {
        let answer: ssh_message_callback = { _, message, user in
            guard let user = unsafe user, let message = unsafe message else { return 1 }
            let session = unsafe Unmanaged<Session>.fromOpaque(user).takeUnretainedValue()
            // 1 lets libssh refuse; it frees the message in any case.
            return unsafe session.take(message) ? 0 : 1
        }
        unsafe ssh_set_message_callback(handle, answer, Unmanaged.passUnretained(self).toOpaque())
    }

    private func take(_ message: ssh_message) -> Bool {
        guard unsafe ssh_message_type(message) == Int32(SSH_REQUEST_CHANNEL_OPEN.rawValue) else {
            return false
        }
        let request = unsafe ServerChannelRequest(message)
        guard let (kind, handler) = unsafe handler(of: message, request),
            let accept = handler(request)
        else {
            onServerOpenedChannel()
            return false
        }
        guard let channel = unsafe LibraryChannel(answering: message, of: self, kind: kind) else {
            return false
        }
        accept(channel)
        return true
    }

    private func handler(
        of message: ssh_message,
        _ request: ServerChannelRequest
    ) -> (LibraryChannel.Kind, ServerChannels.Handler)? {
        let handler: ServerChannels.Handler?
        let kind: LibraryChannel.Kind
        switch unsafe ssh_message_subtype(message) {
        case Int32(SSH_CHANNEL_FORWARDED_TCPIP.rawValue):
            handler = serverChannels.onForwardedTCP
            kind = .forwardedTCP(request)
        case Int32(SSH_CHANNEL_AUTH_AGENT.rawValue):
            handler = serverChannels.onAgent
            kind = .agent
        case Int32(SSH_CHANNEL_X11.rawValue):
            handler = serverChannels.onX11
            kind = .x11(request)
        default: return nil
        }
        return handler.map { (kind, $0) }
    }
}

extension ServerChannelRequest {
    fileprivate init(_ message: ssh_message) {
        let host = unsafe ssh_message_channel_request_open_destination(message)
        listener = unsafe host.map {
            unsafe Listener(
                host: String(cString: $0),
                port: UInt16(
                    truncatingIfNeeded: ssh_message_channel_request_open_destination_port(message)
                )
            )
        }
        let origin = unsafe ssh_message_channel_request_open_originator(message)
        originHost = unsafe origin.map { unsafe String(cString: $0) } ?? ""
        originPort = UInt16(
            truncatingIfNeeded: unsafe ssh_message_channel_request_open_originator_port(message)
        )
    }
}

extension LibraryChannel {
    /// Accepts a channel of the server's, with the callbacks in place before anything can come.
    ///
    /// C: `ssh_message_channel_request_open_reply_accept_channel`, which grants 32,000 bytes; the
    /// window is raised as soon as libssh does not read any more.
    /// - Returns: nil when libssh cannot make it; the request is then to be refused.
    fileprivate convenience init?(answering message: ssh_message, of session: Session, kind: Kind) {
        guard let new = unsafe ssh_channel_new(session.handle) else { return nil }
        self.init(session: session, kind: kind)
        unsafe handle = new
        unsafe installCallbacks(new)
        let code = unsafe ssh_message_channel_request_open_reply_accept_channel(message, new)
        guard code == SSH_OK else { return nil }
        window.open(after: session.roundTrip ?? .zero)
        window.askForRaise()
    }
}
