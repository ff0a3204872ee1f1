internal import SSH
internal import Ways

extension LoginOutcome {
    /// Sorts what ended a try to log in.
    /// - Parameter error: what was thrown on the way to a login.
    init(_ error: any Error) {
        switch error {
        case let error as WayError: self.init(error.outcome)
        case is HandshakeTimeout: self = .noAnswer
        case is KeyPushFailed: self = .pushFailed
        case let error as HostKeyRefusal: self = .hostKeyRefused(error)
        case let error as SSHError: self.init(error)
        case let error as LoginRefused: self = error.outcome
        default: self = .other
        }
    }

    private init(_ outcome: WayError.Outcome) {
        self =
            switch outcome {
            case .nameNotFound: .nameNotFound
            case .refused: .connectionRefused
            case .timedOut, .unreachable: .noAnswer
            case .closed: .closedBeforeBanner
            case .notRunning(let state): .notRunning(state: state)
            // Nobody could say where the instance is.
            case .notOffered, .denied, .serviceFailed: .nameNotFound
            case .nameUnavailable, .proxyFailed, .local: .other
            }
    }

    private init(_ error: SSHError) {
        switch error {
        case .closedBeforeBanner: self = .closedBeforeBanner
        case .closed(let peer), .broken(let peer, _):
            self = peer.hasIdentified ? .other : .closedBeforeBanner
        case .notSSH(_, let seen) where seen.contains("Not allowed at this time"): self = .penalized
        case .notSSH: self = .notSSH
        case .disconnected(_, _, let text) where text.contains("Too many authentication failures"):
            self = .tooManyFailures
        default: self = .other
        }
    }
}
