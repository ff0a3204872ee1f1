internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSH

/// Lets a key in to an instance for a minute, by EC2 Instance Connect.
struct KeyPush {
    let whereabouts: Whereabouts
    let poller: Poller
    let trace: Trace

    /// How long AWS may take.
    private static let limit = Duration.seconds(10)

    /// Pushes a key and waits until it is there.
    /// - Parameters:
    ///   - key: the public key.
    ///   - user: the user on the instance.
    /// - Throws: ``KeyPushFailed``; what a source in the loop throws.
    func callAsFunction(_ key: UserKey, user: String) throws {
        let deadline = readClock() + KeyPush.limit
        do {
            try whereabouts.begin()
            let known = try poller.wait(about: whereabouts, until: deadline) {
                try whereabouts.progress()
            }
            guard let known else { throw KeyPushFailed.late }
            let (line, id) = (key.line, known.instance.id)
            let call = try whereabouts.cloud.ask(about: known) { caller in
                try await caller.sendSSHPublicKey(line, to: id, user: user)
            }
            guard try poller.wait(for: call, until: deadline) != nil else {
                throw KeyPushFailed.late
            }
            trace.debug(.debug1, .aws, "pushed \(key.shortName) for \(user) to \(id)")
        } catch let fault as InstanceLookupError {
            throw KeyPushFailed(fault)
        } catch let fault as ServiceError {
            throw KeyPushFailed(fault)
        }
    }
}

/// Says why no key was pushed.
struct KeyPushFailed: Fault {
    let layer: Layer
    let summary: String
    let hint: Hint?
    let cause: (any Error)?

    init(_ fault: any Fault) {
        layer = fault.layer
        summary = fault.summary
        hint = fault.hint
        cause = fault
    }

    private init(summary: String) {
        layer = .aws
        self.summary = summary
        hint = nil
        cause = nil
    }

    static var late: KeyPushFailed {
        KeyPushFailed(summary: "EC2 Instance Connect does not answer")
    }
    static var noKey: KeyPushFailed { KeyPushFailed(summary: "no key could be made") }
}
