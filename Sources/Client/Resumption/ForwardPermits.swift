internal import Posix
internal import SSH

/// What the server lets be forwarded, as it says itself; the remote half connects to nothing else.
///
/// The remote half's own connections ask nobody. So that it is no way around sshd's rules
/// (AllowTcpForwarding, PermitOpen, DisableForwarding, options of the key), the server is asked first
/// what nothing comes of: to connect to an address of an interface that is not there, on the port that
/// is wanted. It looks at its rules before it looks at the address, which is wrong by itself: no name is
/// looked up and no packet sent. Only that it calls the address wrong is a yes, to this port of any
/// host, as no list of hosts has this one. All else is a no, and then the server itself makes the
/// connection, or says why not.
struct ForwardPermits {
    /// What may be permitted or not.
    enum Subject: Hashable {
        /// A port of any host.
        case port(UInt16)
        /// Any Unix socket; asked by connecting to the remote half's own, at this path.
        case sockets(path: String)
    }

    /// An address with a zone (RFC 4007 §11) whose name is too long for one.
    private static let nowhere = "fe80::%nothing-is-named-so"
    /// RFC 4254 §5.1: SSH_OPEN_CONNECT_FAILED.
    private static let connectFailed: UInt32 = 2
    /// What sshd says when it gives no reason; versions that know no other code than the one above
    /// say so of what they do not permit.
    private static let noReason = "open failed"

    private var answers: [Subject: Bool] = [:]
    private var asked: [Subject: any Channel] = [:]
    /// What was connected after all, and is being closed.
    private var closing: [any Channel] = []

    /// What the server has said; nil as long as it was not asked, or has not answered.
    subscript(subject: Subject) -> Bool? { answers[subject] }

    /// Asks the server, or goes on doing so.
    /// - Parameters:
    ///   - subject: what for.
    ///   - session: the connection that is there.
    mutating func ask(_ subject: Subject, over session: any ChannelCarrier) {
        guard answers[subject] == nil else { return }
        let channel = asked[subject] ?? ForwardPermits.probe(subject, session)
        asked[subject] = channel
        do throws(SSHError) {
            guard case .done = try channel.open() else { return }
            closing.append(channel)
            answers[subject] = subject.isPermittedByConnection
        } catch {
            // Any other error has ended the connection, and the next one is asked.
            if case .openRefused(let code, let text) = error {
                answers[subject] =
                    !subject.isPermittedByConnection
                    && code == ForwardPermits.connectFailed && text != ForwardPermits.noReason
            }
        }
        asked[subject] = nil
    }

    /// Ends what asking has left behind.
    mutating func tidy() {
        closing.removeAll { channel in
            if case .done = channel.close() { true } else { false }
        }
    }

    private static func probe(_ subject: Subject, _ session: any ChannelCarrier) -> any Channel {
        switch subject {
        case .port(let port): session.openDirectTCP(host: nowhere, port: port)
        case .sockets(let path): session.openDirectUnix(path: path)
        }
    }
}

extension ForwardPermits.Subject {
    /// Whether the connection is the permission, and not its failure.
    fileprivate var isPermittedByConnection: Bool {
        if case .sockets = self { true } else { false }
    }
}
