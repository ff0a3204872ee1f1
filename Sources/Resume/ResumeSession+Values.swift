extension ResumeSession {
    /// A session's name, which anybody may see, and the secret that goes with it.
    public struct Identity: Sendable, Equatable, CustomStringConvertible {
        let id: [UInt8]
        let secret: [UInt8]

        private static let length = 16

        /// Makes a new one, of 128 random bits each.
        /// - Parameter generator: where they come from.
        public init(using generator: inout some RandomNumberGenerator) {
            id = (0..<Identity.length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            secret = (0..<Identity.length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }

        init(_ reader: inout WireReader) throws(ResumeError) {
            id = try reader.bytes(Identity.length)
            secret = try reader.bytes(Identity.length)
        }

        init(zero: Void) {
            id = Array(repeating: 0, count: Identity.length)
            secret = id
        }

        /// The id in hexadecimal, without the secret.
        public var description: String {
            id.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    }

    /// What a session is for.
    public enum Kind: UInt8, Sendable {
        /// The user's login shell.
        case shell = 1
        /// A command in the user's shell.
        case command = 2
        /// A subsystem by its name, such as `sftp`.
        case subsystem = 3
        /// A connection to the host's own sshd, or from there to another host.
        case relay = 4
        /// No process: forwarded connections and listeners alone.
        case forwards = 5
    }

    /// How the remote process ended.
    public enum Exit: Sendable, Equatable {
        /// With a status.
        case status(UInt32)
        /// Of a signal: its name without `SIG`.
        case signal(name: String, coreDumped: Bool, text: String)
    }

    /// What a link says of the session once it is attached.
    public struct Attachment: Sendable, Equatable {
        /// Whether this very link started it.
        public let isNew: Bool
        /// Whether this is the first link of this ``ResumeSession`` that was answered.
        public let isFirst: Bool
        /// What the session is for; nil for what is not known here.
        public let kind: Kind?
        /// Whether it has a terminal.
        public let hasPty: Bool
        /// Whether nothing more can be typed into it: another client has ended its input.
        public let inputHasEnded: Bool
        /// The remote half's process.
        public let pid: UInt32
        /// Its Unix socket on the host, for `direct-streamlocal@openssh.com`.
        public let socketPath: String
    }

    /// Something the user should know of the host.
    public enum Notice: Sendable, Equatable {
        /// `KillUserProcesses=yes`: the session dies with the login that started it.
        case killedAtLogout
        /// Another one, in the remote half's words.
        case other(code: UInt8, text: String)
    }

    /// A connection that came to a listener on the host.
    public struct Offer: Sendable, Equatable {
        /// The stream it would be; to be accepted or refused.
        public let stream: UInt32
        /// The listener it came to.
        public let listener: UInt32
        /// The listener's host or path.
        public let host: String
        /// The listener's port.
        public let port: UInt32
        /// Where it comes from.
        public let originator: String
        /// The port it comes from.
        public let originatorPort: UInt32
    }

    /// One end of a forward on the host.
    public enum Place: Sendable, Equatable {
        /// A host and port, as the host sees them.
        case tcp(host: String, port: UInt16)
        /// A Unix socket's path.
        case unix(path: String)
    }

    /// Whether a link can be relied on.
    public enum Liveness: Sendable, Equatable {
        /// As far as can be known.
        case alive
        /// Something is unanswered: time to open a second connection.
        case suspect
        /// To be given up.
        case dead
    }

    /// What is known about the command having been started.
    public enum Started: Sendable, Equatable {
        /// It has certainly not been: plain ssh may run it.
        case no
        /// It may have been; only the same ``ResumeSession`` may try again.
        case uncertain
        /// It has been.
        case yes
    }

    /// Why this side takes its leave.
    public enum Farewell: UInt8, Sendable {
        /// Ends the session: the process is hung up.
        case end = 1
        /// Leaves it running, for as long as its timeout allows.
        case detach = 2
        /// All was received and written, the exit taken.
        case done = 3
    }
}
