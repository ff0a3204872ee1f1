internal import Client
internal import SSHConfig
internal import Ways

/// How logins to the host ended: directly, and where the network kept us from that, by the other
/// ways that EC2Ways allows.
struct Trials: Sendable {
    /// The first; nil when it could not be made.
    var direct: LoginTrial?
    /// By the other ways; nil when it was not needed, or there are none.
    var others: LoginTrial?
    /// Why no login could be tried at all.
    var fault: String?

    /// What let us in.
    var success: LoginTrial.Success? { direct?.success ?? others?.success }

    /// What the instance has told of itself to who was let in.
    var inside: [UInt8]? { direct?.answer ?? others?.answer }

    /// What kept us out, of the login that got farthest.
    var failure: LoginTrial.Failure? {
        if success != nil { return nil }
        guard let other = others?.failure, let first = direct?.failure else {
            return direct?.failure ?? others?.failure
        }
        return first.isBeforeServer && !other.isBeforeServer ? other : first
    }

    /// Whether TCP to the port works from here.
    var isDirectlyReached: Bool {
        guard let direct else { return false }
        if direct.success != nil || direct.banner != nil { return true }
        return direct.failure.map { !$0.isBeforeAnswer } ?? false
    }

    /// What makes an obstacle of the direct way harmless.
    var way: String? {
        guard let way = others?.success?.way else { return nil }
        return "ec2sh gets in by \(way.word) all the same"
    }
}

extension LoginTrial.Failure {
    /// Whether nobody answered at the address.
    var isBeforeAnswer: Bool {
        switch outcome {
        case .nameNotFound, .noAnswer, .notRunning: true
        default: false
        }
    }

    /// Whether no SSH server was seen.
    var isBeforeServer: Bool {
        switch outcome {
        case .connectionRefused, .closedBeforeBanner, .notSSH, .penalized: true
        default: isBeforeAnswer
        }
    }
}
