internal import Faults
internal import Posix
internal import SSHConfig

/// What OpenSSH says about forwards, where users and tools read it (channels.c, ssh.c).
enum ForwardWords {
    /// The number that stands for a Unix socket (PORT_STREAMLOCAL).
    static let unixPort = -2

    /// A channel that the server would not open.
    static func openFailed(_ number: Int, _ code: UInt32, _ text: String) -> String {
        "channel \(number): open failed: \(openReason(code)): \(text)"
    }

    /// RFC 4254 §5.1, in OpenSSH's words.
    static func openReason(_ code: UInt32) -> String {
        switch code {
        case 1: "administratively prohibited"
        case 2: "connect failed"
        case 3: "unknown channel type"
        case 4: "resource shortage"
        default: "unknown reason"
        }
    }

    /// One end of a connection, as `~#` shows it.
    static func end(_ address: SocketAddress?, isPeer: Bool) -> String {
        switch address?.family {
        case nil: "UNKNOWN port 65535"
        case .local: isPeer ? "127.0.0.1 port 65535" : "\(address?.host ?? "") port 0"
        default: "\(address?.host ?? "") port \(address?.port ?? 0)"
        }
    }
}

extension Forward.Destination {
    /// As OpenSSH names it: a path, or `socks` where the client decides.
    var name: String {
        switch self {
        case .tcp(let host, _): host
        case .unix(let path): path
        case .socks: "socks"
        }
    }

    /// As OpenSSH numbers it.
    var number: Int {
        switch self {
        case .tcp(_, let port): port
        case .unix: ForwardWords.unixPort
        case .socks: 0
        }
    }
}

extension Forward.Listener {
    /// As OpenSSH numbers it.
    var number: Int {
        switch self {
        case .tcp(_, let port): port
        case .unix: ForwardWords.unixPort
        }
    }
}

/// Says that a forward that was asked for could not be had, and that this ends the run
/// (ExitOnForwardFailure).
enum ForwardFault: Fault {
    /// A local one.
    case local
    /// A port of the server's, by the number that was asked for.
    case remotePort(Int)
    /// A Unix socket of the server's.
    case remotePath(String)

    var layer: Layer { .channel }

    var summary: String {
        switch self {
        case .local: "a local forward could not be set up"
        case .remotePort(let port): "the server does not listen on port \(port)"
        case .remotePath(let path): "the server cannot be asked to listen on \(path)"
        }
    }

    var words: [String]? {
        switch self {
        case .local: ["Could not request local forwarding."]
        case .remotePort(let port):
            ["Error: remote port forwarding failed for listen port \(port)"]
        case .remotePath(let path):
            ["Error: remote port forwarding failed for listen path \(path)"]
        }
    }

    var hint: Hint? {
        if case .remotePath = self { .advice(ForwardFault.unixAdvice) } else { nil }
    }

    /// What is said where the failure does not end the run.
    var warning: String {
        switch self {
        case .local: "Could not request local forwarding."
        case .remotePort(let port):
            "Warning: remote port forwarding failed for listen port \(port)"
        case .remotePath(let path):
            "Warning: remote port forwarding failed for listen path \(path)"
        }
    }

    /// The server does not listen where it was to.
    static func refused(_ listener: Forward.Listener) -> ForwardFault {
        switch listener {
        case .tcp(_, let port): .remotePort(port)
        case .unix(let path): .remotePath(path)
        }
    }

    /// libssh 0.10 has no request for a socket of the server's.
    static let unixAdvice =
        "ec2sh cannot ask a server to listen on a Unix socket yet; use OpenSSH's ssh for that"
}
