/// The frames of L1, by their types.
enum LinkFrame {
    static let hello: UInt8 = 0x01
    static let start: UInt8 = 0x02
    static let welcome: UInt8 = 0x03
    static let refuse: UInt8 = 0x04
    static let notice: UInt8 = 0x05
    static let listing: UInt8 = 0x06
    static let data: UInt8 = 0x10
    static let acknowledgement: UInt8 = 0x11
    static let ping: UInt8 = 0x12
    static let pong: UInt8 = 0x13
    static let bye: UInt8 = 0x14
    static let byeOK: UInt8 = 0x15

    /// The version of all of this.
    static let version: UInt8 = 1
    /// The longest payload where nothing else is said.
    static let longest = 8192

    /// What the remote half may send.
    @Sendable static func shapeFromRemote(_ type: UInt8) -> FrameScanner.Shape? {
        switch type {
        case data: .flowing(prefix: 8, most: 8 + NumberedStream.pieceLimit)
        case welcome, refuse, notice, listing, acknowledgement, ping, pong, bye, byeOK:
            .whole(most: longest)
        default: nil
        }
    }
}

/// The first frame of each link, from the client.
///
/// ```
///  0  u8   version        1
///  1  u8   mode
///  2  16   session id
/// 18  16   secret
/// 34  u32  generation     one more for each HELLO of a session
/// 38  u64  received
/// 46  u64  consumed
/// 54  u32  window
/// 58  string boot id      empty if not known
/// ```
struct Hello {
    enum Mode: UInt8 {
        case start = 1
        case attach = 2
        case join = 3
        case list = 4
    }

    var mode: Mode
    var identity: ResumeSession.Identity
    var generation: UInt32 = 0
    var received: UInt64 = 0
    var consumed: UInt64 = 0
    var window: UInt32 = 0
    var bootID: [UInt8] = []

    /// The frame as it is sent.
    var bytes: [UInt8] {
        var payload: [UInt8] = [LinkFrame.version, mode.rawValue]
        payload += identity.id
        payload += identity.secret
        payload.append(wire: generation)
        payload.append(wire: received)
        payload.append(wire: consumed)
        payload.append(wire: window)
        payload.append(string: bootID)
        var bytes: [UInt8] = []
        bytes.append(frame: LinkFrame.hello, payload)
        return bytes
    }
}

/// The answer to HELLO.
///
/// ```
///  0  u8   version
///  1  u8   flags          1 started just now, 2 standard input has ended
///  2  u32  generation     the one in force
///  6  u64  received
/// 14  u64  consumed
/// 22  u32  window         as fixed at the start
/// 26  u32  pid
/// 30  u8   kind           as in START
/// 31  u8   flags          as in START
/// 32  string boot id, string path of the socket
/// ```
struct Welcome {
    let flags: UInt8
    let generation: UInt32
    let received: UInt64
    let consumed: UInt64
    let window: UInt32
    let pid: UInt32
    let kind: UInt8
    let startFlags: UInt8
    let bootID: [UInt8]
    let socketPath: String

    init(_ payload: [UInt8]) throws(ResumeError) {
        var reader = WireReader(payload)
        let version = try reader.number(UInt8.self)
        guard version == LinkFrame.version else { throw .version("\(version)") }
        flags = try reader.number(UInt8.self)
        generation = try reader.number(UInt32.self)
        received = try reader.number(UInt64.self)
        consumed = try reader.number(UInt64.self)
        window = try reader.number(UInt32.self)
        pid = try reader.number(UInt32.self)
        kind = try reader.number(UInt8.self)
        startFlags = try reader.number(UInt8.self)
        bootID = try reader.string()
        socketPath = try reader.text()
        try reader.finish()
    }
}
