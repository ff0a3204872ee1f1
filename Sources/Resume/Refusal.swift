public import Faults

/// Why a link was refused, and what that says about the session.
public struct Refusal: Sendable, Equatable {
    /// The reason, by its number; numbers nobody knows yet are kept.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number on the wire.
        public let rawValue: UInt8
        /// Names a reason.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The remote half is older; ``Refusal/value`` is the version it has.
        public static let version = Code(rawValue: 1)
        /// No such session: forgotten, timed out or ended elsewhere.
        public static let unknown = Code(rawValue: 2)
        /// It was started, and its process is gone: never to be run again.
        public static let lost = Code(rawValue: 3)
        /// The host has booted since: never to be run again.
        public static let rebooted = Code(rawValue: 4)
        /// The secret is wrong.
        public static let denied = Code(rawValue: 5)
        /// A newer link has the session.
        public static let superseded = Code(rawValue: 6)
        /// Nothing was started; plain ssh is safe.
        public static let cannotStart = Code(rawValue: 7)
        /// The process ended with status ``Refusal/value``; its output is lost.
        public static let ended = Code(rawValue: 8)
        /// It is being started this moment: try again in 250 ms.
        public static let busy = Code(rawValue: 9)
        /// We do not keep the protocol, says the remote half.
        public static let malformed = Code(rawValue: 10)
    }

    /// The reason.
    public let code: Code
    /// What goes with some reasons.
    public let value: UInt32
    /// The remote half's words.
    public let text: String

    init(_ code: Code, value: UInt32 = 0, _ text: String) {
        self.code = code
        self.value = value
        self.text = text
    }

    init(_ payload: [UInt8]) throws(ResumeError) {
        var reader = WireReader(payload)
        code = Code(rawValue: try reader.number(UInt8.self))
        value = try reader.number(UInt32.self)
        text = try reader.text()
        try reader.finish()
    }
}

extension Refusal: Fault {
    /// Always ``Faults/Layer/link``.
    public var layer: Layer { .link }

    /// What it says about the session.
    public var summary: String {
        switch code {
        case .version:
            "the session was begun by an older ec2sh, whose protocol is version \(value)"
        case .unknown: "the host has no such session any more: it has ended, or its time was over"
        case .lost:
            "the session's process is gone from the host, and nobody knows how far its command came"
        case .rebooted:
            "the host has booted since, and nobody knows how far the session's command came"
        case .denied: "the session is another one's, as its secret is not the one we have"
        case .superseded: "another client has taken the session over"
        case .cannotStart: "the host cannot keep a session: \(words)"
        case .ended:
            "the command ended with status \(value) while nobody was connected; its output is lost"
        case .busy: "the session is being started by somebody else"
        default: "the session's remote half refuses the link: \(words)"
        }
    }

    /// The host's words on one line; anything may be in them.
    private var words: String { visible(text.utf8.filter { $0 >= 0x20 }) }

    /// What can be done.
    public var hint: Hint? {
        switch code {
        case .version: .advice("the ec2sh that began it can attach to it")
        case .lost, .rebooted:
            .advice("look on the host what it has done before you run it once more")
        case .cannotStart, .malformed:
            .advice("`-o Resume=no` does without sessions that can be resumed")
        default: nil
        }
    }
}
