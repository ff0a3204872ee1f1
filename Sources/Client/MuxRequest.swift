internal import SSH
internal import SSHConfig

/// What a client says to a master.
enum MuxRequest: Sendable, Equatable {
    case hello(MuxHello)
    /// Three descriptors follow: standard input, output and error.
    case newSession(id: UInt32, MuxSession)
    case aliveCheck(id: UInt32)
    case terminate(id: UInt32)
    case openForward(id: UInt32, MuxForward)
    case closeForward(id: UInt32, MuxForward)
    /// `-W`; two descriptors follow: standard input and output.
    case newStdioForward(id: UInt32, host: String, port: UInt32)
    case stopListening(id: UInt32)
    case proxy(id: UInt32)
    /// Nothing that this version knows; it is refused by its id.
    case unknown(id: UInt32, type: UInt32)

    /// Reads one message without its length.
    /// - Parameter body: all of it.
    /// - Throws: ``MuxMalformed``.
    init(_ body: some Sequence<UInt8>) throws(MuxMalformed) {
        var reader = WireReader(body)
        guard let type = reader.number() else { throw MuxMalformed(what: "type") }
        if type == MuxNumber.hello.rawValue {
            self = .hello(try MuxHello(&reader))
            return
        }
        guard let id = reader.number() else { throw MuxMalformed(what: "request id") }
        switch MuxNumber(rawValue: type) {
        case .newSession: self = .newSession(id: id, try MuxSession(&reader))
        case .aliveCheck: self = .aliveCheck(id: id)
        case .terminate: self = .terminate(id: id)
        case .openForward: self = .openForward(id: id, try MuxForward(&reader))
        case .closeForward: self = .closeForward(id: id, try MuxForward(&reader))
        case .newStdioForward:
            guard reader.string() != nil, let host = reader.string(), let port = reader.number()
            else { throw MuxMalformed(what: "stdio forwarding") }
            self = .newStdioForward(id: id, host: LosslessText.string(host), port: port)
        case .stopListening: self = .stopListening(id: id)
        case .proxy: self = .proxy(id: id)
        default: self = .unknown(id: id, type: type)
        }
    }

    /// The message without its length.
    var body: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .hello(let hello):
            writer.number(MuxNumber.hello.rawValue)
            hello.encode(into: &writer)
        case .newSession(let id, let session):
            writer.begin(.newSession, id)
            session.encode(into: &writer)
        case .aliveCheck(let id): writer.begin(.aliveCheck, id)
        case .terminate(let id): writer.begin(.terminate, id)
        case .openForward(let id, let forward):
            writer.begin(.openForward, id)
            forward.encode(into: &writer)
        case .closeForward(let id, let forward):
            writer.begin(.closeForward, id)
            forward.encode(into: &writer)
        case .newStdioForward(let id, let host, let port):
            writer.begin(.newStdioForward, id)
            writer.string([])
            writer.string(LosslessText.bytes(host))
            writer.number(port)
        case .stopListening(let id): writer.begin(.stopListening, id)
        case .proxy(let id): writer.begin(.proxy, id)
        case .unknown(let id, let type):
            writer.number(type)
            writer.number(id)
        }
        return writer.bytes
    }
}

extension WireWriter {
    /// Begins a message that has a request id.
    mutating func begin(_ type: MuxNumber, _ id: UInt32) {
        number(type.rawValue)
        number(id)
    }
}
