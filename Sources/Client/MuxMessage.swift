internal import SSH
internal import SSHConfig

// OpenSSH's protocol between a master, which has a connection, and the clients that share it
// (PROTOCOL.mux, version 4). Every message is
//
//     | length: uint32 | type: uint32 | request id: uint32 | fields … |
//
// with the fields in SSH's own encoding; HELLO alone has its version where others have the id.

/// What tells one message from another (PROTOCOL.mux §11).
enum MuxNumber: UInt32, CaseIterable {
    case hello = 0x0000_0001

    case newSession = 0x1000_0002
    case aliveCheck = 0x1000_0004
    case terminate = 0x1000_0005
    case openForward = 0x1000_0006
    case closeForward = 0x1000_0007
    case newStdioForward = 0x1000_0008
    case stopListening = 0x1000_0009
    case proxy = 0x1000_000f

    case ok = 0x8000_0001
    case permissionDenied = 0x8000_0002
    case failure = 0x8000_0003
    case exitMessage = 0x8000_0004
    case alive = 0x8000_0005
    case sessionOpened = 0x8000_0006
    case remotePort = 0x8000_0007
    case ttyAllocationFailed = 0x8000_0008
    case proxyGranted = 0x8000_000f
}

/// The first message of either side (PROTOCOL.mux §1).
struct MuxHello: Sendable, Equatable {
    /// The version that is spoken here.
    static let spokenVersion: UInt32 = 4

    /// A name and a value; none are defined so far.
    struct Extension: Sendable, Equatable {
        var name: String
        var value: [UInt8]
    }

    /// What a master of ours says: that it answers a proxy client's global requests.
    ///
    /// OpenSSH's drops the server's answers, and the connection with all requests but those for ports.
    static let proxyAnswers = Extension(name: "proxy-answers@ec2sh", value: [])

    var version = MuxHello.spokenVersion
    var extensions: [Extension] = []
}

/// A session that a client asks for (PROTOCOL.mux §2); its three standard streams follow.
struct MuxSession: Sendable, Equatable {
    /// More than anybody has; the rest is left out, as OpenSSH does.
    static let mostVariables = 4096
    /// The escape character's number when there is none.
    static let noEscape: UInt32 = 0xffff_ffff

    var wantsTerminal = false
    var wantsX11 = false
    var wantsAgent = false
    var isSubsystem = false
    /// A byte, or ``noEscape``.
    var escape = MuxSession.noEscape
    /// TERM's value.
    var term = ""
    /// Empty for a shell.
    var command: [UInt8] = []
    /// `NAME=VALUE`, each.
    var environment: [String] = []
}

/// A forwarding as it is written (PROTOCOL.mux §6), sensible or not.
struct MuxForward: Sendable, Equatable {
    /// MUX_FWD_LOCAL, MUX_FWD_REMOTE, MUX_FWD_DYNAMIC.
    static let kinds: ClosedRange<UInt32> = 1...3
    static let local: UInt32 = 1
    static let remote: UInt32 = 2
    static let dynamic: UInt32 = 3
    /// The port that says that the host is a path: -2.
    static let path: UInt32 = 0xffff_fffe

    var kind: UInt32
    var listenHost: String
    var listenPort: UInt32
    var connectHost: String
    var connectPort: UInt32
}

/// Says that a message is not what PROTOCOL.mux has.
struct MuxMalformed: Error, Equatable {
    /// What was read.
    let what: String
}

// MARK: - Reading and writing

extension MuxHello {
    init(_ reader: inout WireReader) throws(MuxMalformed) {
        guard let version = reader.number() else { throw MuxMalformed(what: "version") }
        self.version = version
        while !reader.isAtEnd {
            guard let name = reader.string(), let value = reader.string() else {
                throw MuxMalformed(what: "extension")
            }
            extensions.append(Extension(name: LosslessText.string(name), value: Array(value)))
        }
    }

    func encode(into writer: inout WireWriter) {
        writer.number(version)
        for entry in extensions {
            writer.string(LosslessText.bytes(entry.name))
            writer.string(entry.value)
        }
    }
}

extension MuxSession {
    init(_ reader: inout WireReader) throws(MuxMalformed) {
        guard reader.string() != nil, let terminal = reader.number(), let x11 = reader.number(),
            let agent = reader.number(), let subsystem = reader.number(),
            let escape = reader.number(), let term = reader.string(), let command = reader.string()
        else { throw MuxMalformed(what: "session") }
        wantsTerminal = terminal != 0
        wantsX11 = x11 != 0
        wantsAgent = agent != 0
        isSubsystem = subsystem != 0
        self.escape = escape
        self.term = LosslessText.string(term)
        self.command = Array(command)
        while !reader.isAtEnd {
            guard let variable = reader.string() else { throw MuxMalformed(what: "environment") }
            if environment.count == MuxSession.mostVariables { break }
            environment.append(LosslessText.string(variable))
        }
    }

    func encode(into writer: inout WireWriter) {
        writer.string([])
        for flag in [wantsTerminal, wantsX11, wantsAgent, isSubsystem] {
            writer.number(flag ? 1 : 0)
        }
        writer.number(escape)
        writer.string(LosslessText.bytes(term))
        writer.string(command)
        for variable in environment { writer.string(LosslessText.bytes(variable)) }
    }
}

extension MuxForward {
    init(_ reader: inout WireReader) throws(MuxMalformed) {
        guard let kind = reader.number(), let listenHost = reader.string(),
            let listenPort = reader.number(), let connectHost = reader.string(),
            let connectPort = reader.number(), MuxForward.isPort(listenPort),
            MuxForward.isPort(connectPort)
        else { throw MuxMalformed(what: "forwarding") }
        self.kind = kind
        self.listenHost = LosslessText.string(listenHost)
        self.listenPort = listenPort
        self.connectHost = LosslessText.string(connectHost)
        self.connectPort = connectPort
    }

    private static func isPort(_ number: UInt32) -> Bool { number <= 65_535 || number == path }

    func encode(into writer: inout WireWriter) {
        writer.number(kind)
        writer.string(LosslessText.bytes(listenHost))
        writer.number(listenPort)
        writer.string(LosslessText.bytes(connectHost))
        writer.number(connectPort)
    }
}
