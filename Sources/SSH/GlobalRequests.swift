internal import CLibSSH
public import Posix

/// What is asked of the connection as a whole (RFC 4254 §4), one request at a time.
///
/// libssh has one place for an answer and does not look whose it is: while a keepalive is
/// unanswered, a request for a port sends nothing and takes the keepalive's answer for its own.
struct GlobalRequests {
    /// A request that has an answer.
    enum Request: Equatable {
        case listen(host: String, port: UInt16)
        case cancel(host: String, port: UInt16)

        /// Whether the answer says which port it is.
        var choosesPort: Bool {
            if case .listen(_, 0) = self { true } else { false }
        }
    }

    /// Whether libssh has sent one whose answer it has not given yet, by its log.
    var isAnswerOut = false
    /// In the order they came; the first is the one that is sent.
    var waiting: [Request] = []
    /// Whether the first was sent, so that the answer is its own.
    var isSent = false
    /// Answers that came while libssh read, until whoever asked asks again.
    var answers: [(request: Request, answer: Answer)] = []
    /// How many packets had come with the last answer that libssh noted.
    var packetsAtSuccess: UInt64?

    enum Answer {
        case accepted(port: UInt16)
        case refused
        /// Other packets came with the answer, and libssh has lost the port.
        case lost
    }

    /// Whether each packet has to be looked at, as the port is only to be had from the last.
    var needsEachPacket: Bool { isSent && waiting.first?.choosesPort == true }
}

extension Session {
    /// Asks the server to listen on a port for us (RFC 4254 §7.1).
    ///
    /// Connections then come as ``ServerChannels/onForwardedTCP``. Called again with the same
    /// arguments until it is done; several requests may be under way.
    /// - Parameters:
    ///   - host: the address to bind on the server: empty, `*`, `localhost` or an address.
    ///   - port: the port, 0 to let the server choose.
    /// - Returns: the port the server listens on.
    /// - Throws: ``SSHError/listenRefused`` when the server will not; the session's failure.
    ///   C: `ssh_channel_listen_forward`.
    public func listen(host: String, port: UInt16) throws(SSHError) -> Attempt<UInt16> {
        switch try answer(to: .listen(host: host, port: port)) {
        case nil: return .again
        case .accepted(let bound): return .done(bound)
        case .refused: throw .listenRefused
        case .lost: throw .refused("the server's answer came with other packets")
        }
    }

    /// Sends what ``listen(host:port:)`` asks for, if no other request waits; the answer, which may
    /// have come at once, is that call's.
    /// - Parameters:
    ///   - host: as there.
    ///   - port: as there.
    public func beginListening(host: String, port: UInt16) {
        guard failure == nil, isLoggedIn else { return }
        let request = GlobalRequests.Request.listen(host: host, port: port)
        if !globalRequests.waiting.contains(request) { globalRequests.waiting.append(request) }
        advanceGlobalRequests()
        noteFailure()
    }

    /// Asks the server to listen on a port no longer (RFC 4254 §7.1).
    /// - Parameters:
    ///   - host: the address as it was asked for.
    ///   - port: the port the server listens on.
    /// - Returns: whether the server agreed.
    /// - Throws: the session's failure.  C: `ssh_channel_cancel_forward`.
    public func cancelListen(host: String, port: UInt16) throws(SSHError) -> Attempt<Bool> {
        switch try answer(to: .cancel(host: host, port: port)) {
        case nil: .again
        case .accepted: .done(true)
        case .refused, .lost: .done(false)
        }
    }

    private func answer(
        to request: GlobalRequests.Request
    ) throws(SSHError) -> GlobalRequests.Answer? {
        if let failure { throw failure }
        guard isLoggedIn else { throw .refused("a port needs a login") }
        if let index = globalRequests.answers.firstIndex(where: { $0.request == request }) {
            return globalRequests.answers.remove(at: index).answer
        }
        if !globalRequests.waiting.contains(request) { globalRequests.waiting.append(request) }
        advanceGlobalRequests()
        noteFailure()
        if let failure { throw failure }
        guard let index = globalRequests.answers.firstIndex(where: { $0.request == request }) else {
            return nil
        }
        return globalRequests.answers.remove(at: index).answer
    }

    /// Goes on with the first request; keeps its answer.
    func advanceGlobalRequests() {
        guard let request = globalRequests.waiting.first else { return }
        if globalRequests.isAnswerOut && !globalRequests.isSent {
            // A keepalive's, which this takes.
            guard call(request).code != SSH_AGAIN else { return }
        }
        globalRequests.isSent = true
        readAhead.isInSmallPieces = globalRequests.needsEachPacket
        let (code, port) = call(request)
        if code == SSH_AGAIN { return }
        globalRequests.waiting.removeFirst()
        globalRequests.isSent = false
        readAhead.isInSmallPieces = false
        globalRequests.answers.append((request, answer(request, code, port)))
    }

    private func answer(
        _ request: GlobalRequests.Request,
        _ code: Int32,
        _ port: Int32
    ) -> GlobalRequests.Answer {
        guard code == SSH_OK else { return .refused }
        guard case .listen(_, let wanted) = request else { return .accepted(port: 0) }
        if wanted != 0 { return .accepted(port: wanted) }
        guard globalRequests.packetsAtSuccess == packetsReceived,
            let port = UInt16(exactly: port), port > 0
        else { return .lost }
        return .accepted(port: port)
    }

    private func call(_ request: GlobalRequests.Request) -> (code: Int32, port: Int32) {
        var bound: Int32 = 0
        let code = inLibrary(least: SSH_LOG_PACKET) {
            switch request {
            case .listen(let host, let port):
                unsafe ssh_channel_listen_forward(handle, host, Int32(port), &bound)
            case .cancel(let host, let port):
                unsafe ssh_channel_cancel_forward(handle, host, Int32(port))
            }
        }
        return (code, bound)
    }
}
