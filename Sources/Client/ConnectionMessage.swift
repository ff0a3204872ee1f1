// SSH's connection protocol (RFC 4254) as it is between a proxy client and its master: after
// MUX_S_PROXY the control socket carries its messages in plain text (PROTOCOL.mux §9),
//
//     | length: uint32 | padding length: byte | type: byte | fields … | padding |
//
// with the fields in SSH's own encoding. OpenSSH writes no padding and does not look at it.

/// A message of the connection protocol.
enum ConnectionMessage: Sendable, Equatable {
    case globalRequest(GlobalRequest, wantsReply: Bool)
    /// What follows depends on the request: the port, where the server was to choose it.
    case requestSuccess([UInt8])
    case requestFailure
    case open(ChannelOpening)
    /// The channel was opened; the sender's number, window and longest packet.
    case opened(channel: UInt32, sender: UInt32, window: UInt32, packet: UInt32)
    case openFailure(channel: UInt32, code: UInt32, text: String)
    case windowAdjust(channel: UInt32, count: UInt32)
    case data(channel: UInt32, [UInt8])
    case extendedData(channel: UInt32, type: UInt32, [UInt8])
    case eof(channel: UInt32)
    case close(channel: UInt32)
    case request(channel: UInt32, ChannelRequest, wantsReply: Bool)
    case success(channel: UInt32)
    case failure(channel: UInt32)
    /// Nothing of the connection protocol, or nothing that this version knows.
    case other(type: UInt8, [UInt8])

    /// The stream that ``extendedData(channel:type:_:)`` is for standard error (RFC 4254 §5.2).
    static let standardError: UInt32 = 1
}

/// What is asked of the connection as a whole (RFC 4254 §7.1).
enum GlobalRequest: Sendable, Equatable {
    case listen(host: String, port: UInt32)
    case cancelListen(host: String, port: UInt32)
    case other(name: String, [UInt8])
}

/// A channel that one side wants (RFC 4254 §5.1).
struct ChannelOpening: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case session
        case directTCP(ConnectionEnds)
        /// OpenSSH's PROTOCOL §2.4.
        case directUnix(path: String)
        case forwardedTCP(ConnectionEnds)
        case other(name: String, [UInt8])
    }

    /// Where a connection leads, or was made to, and where it comes from (RFC 4254 §7.2).
    struct ConnectionEnds: Sendable, Equatable {
        var host: String
        var port: UInt32
        var originHost: String
        var originPort: UInt32
    }

    var kind: Kind
    var sender: UInt32
    var window: UInt32
    var packet: UInt32

    /// Reasons of a refusal (RFC 4254 §5.1).
    static let prohibited: UInt32 = 1
    static let connectFailed: UInt32 = 2
    static let unknownType: UInt32 = 3
    static let resourceShortage: UInt32 = 4
}

/// What is asked of one channel (RFC 4254 §6).
enum ChannelRequest: Sendable, Equatable {
    case pty(term: String, PtySize, modes: [UInt8])
    case x11(single: Bool, protocol: String, cookie: String, screen: UInt32)
    /// OpenSSH's PROTOCOL.agent.
    case agent
    case variable(name: String, value: String)
    case shell
    case execute([UInt8])
    case subsystem(String)
    case windowChange(PtySize)
    case signal(String)
    /// RFC 4335.
    case sendBreak(milliseconds: UInt32)
    case exitStatus(UInt32)
    case exitSignal(name: String, coreDumped: Bool, message: String, language: String)
    case other(name: String, [UInt8])

    /// A terminal's size, in characters and in pixels.
    struct PtySize: Sendable, Equatable {
        var columns: UInt32
        var rows: UInt32
        var width: UInt32 = 0
        var height: UInt32 = 0
    }
}

/// The numbers of the messages (RFC 4250 §4.1.2).
enum ConnectionNumber: UInt8, CaseIterable {
    case globalRequest = 80
    case requestSuccess = 81
    case requestFailure = 82
    case open = 90
    case opened = 91
    case openFailure = 92
    case windowAdjust = 93
    case data = 94
    case extendedData = 95
    case eof = 96
    case close = 97
    case request = 98
    case success = 99
    case failure = 100
}
