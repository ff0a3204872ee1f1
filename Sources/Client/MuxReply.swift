internal import SSH
internal import SSHConfig

/// What a master says to a client.
enum MuxReply: Sendable, Equatable {
    case hello(MuxHello)
    case ok(id: UInt32)
    case permissionDenied(id: UInt32, reason: String)
    case failure(id: UInt32, reason: String)
    case alive(id: UInt32, pid: UInt32)
    case sessionOpened(id: UInt32, session: UInt32)
    case remotePort(id: UInt32, port: UInt32)
    case proxyGranted(id: UInt32)
    /// The remote process has ended; the status.
    case exitMessage(session: UInt32, status: UInt32)
    /// The server gave no terminal.
    case ttyAllocationFailed(session: UInt32)
    /// Nothing that this version knows.
    case unknown(type: UInt32)

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
        guard let number = MuxNumber(rawValue: type), number.isReply else {
            self = .unknown(type: type)
            return
        }
        guard let id = reader.number() else { throw MuxMalformed(what: "id") }
        switch number {
        case .permissionDenied:
            self = .permissionDenied(id: id, reason: try MuxReply.reason(&reader))
        case .failure: self = .failure(id: id, reason: try MuxReply.reason(&reader))
        case .alive: self = .alive(id: id, pid: try MuxReply.number(&reader, "PID"))
        case .sessionOpened:
            self = .sessionOpened(id: id, session: try MuxReply.number(&reader, "session ID"))
        case .remotePort: self = .remotePort(id: id, port: try MuxReply.number(&reader, "port"))
        case .proxyGranted: self = .proxyGranted(id: id)
        case .exitMessage:
            self = .exitMessage(session: id, status: try MuxReply.number(&reader, "exitval"))
        case .ttyAllocationFailed: self = .ttyAllocationFailed(session: id)
        default: self = .ok(id: id)
        }
    }

    private static func reason(_ reader: inout WireReader) throws(MuxMalformed) -> String {
        guard let text = reader.string() else { throw MuxMalformed(what: "error message") }
        return LosslessText.string(text)
    }

    private static func number(
        _ reader: inout WireReader,
        _ what: String
    ) throws(MuxMalformed) -> UInt32 {
        guard let number = reader.number() else { throw MuxMalformed(what: what) }
        return number
    }

    /// The message without its length.
    var body: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .hello(let hello):
            writer.number(MuxNumber.hello.rawValue)
            hello.encode(into: &writer)
        case .ok(let id): writer.begin(.ok, id)
        case .permissionDenied(let id, let reason):
            writer.begin(.permissionDenied, id)
            writer.string(LosslessText.bytes(reason))
        case .failure(let id, let reason):
            writer.begin(.failure, id)
            writer.string(LosslessText.bytes(reason))
        case .alive(let id, let pid):
            writer.begin(.alive, id)
            writer.number(pid)
        case .sessionOpened(let id, let session):
            writer.begin(.sessionOpened, id)
            writer.number(session)
        case .remotePort(let id, let port):
            writer.begin(.remotePort, id)
            writer.number(port)
        case .proxyGranted(let id): writer.begin(.proxyGranted, id)
        case .exitMessage(let session, let status):
            writer.begin(.exitMessage, session)
            writer.number(status)
        case .ttyAllocationFailed(let session): writer.begin(.ttyAllocationFailed, session)
        case .unknown(let type): writer.number(type)
        }
        return writer.bytes
    }
}

extension MuxNumber {
    /// Whether a master says it.
    var isReply: Bool { rawValue & 0x8000_0000 != 0 }
}
