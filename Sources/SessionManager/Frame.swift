internal import Crypto

/// One binary message of the data channel.
///
/// ```
///   0  u32 header length      116; 112 where there is no payload type
///   4  32  message type       ASCII, padded with blanks
///  36  u32 schema version     1
///  40  u64 created            milliseconds since 1970
///  48  i64 sequence number
///  56  u64 flags              bit 0 SYN, bit 1 FIN
///  64  16  message id         a UUID, its second half first
///  80  32  SHA-256 of the payload
/// 112  u32 payload type
///  HL  u32 payload length
/// HL+4     payload
/// ```
///
/// All numbers are big-endian. Source: amazon-ssm-agent, `agent/session/contracts/agentmessage.go`.
public struct Frame: Sendable, Equatable {
    /// What a message is for, by its name; names nobody knows yet are kept.
    public struct Kind: RawRepresentable, Sendable, Hashable {
        /// The name, without padding.
        public let rawValue: String
        /// Names a kind.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// From the client to the instance.
        public static let input = Kind(rawValue: "input_stream_data")
        /// From the instance to the client.
        public static let output = Kind(rawValue: "output_stream_data")
        /// One stream message was received.
        public static let acknowledge = Kind(rawValue: "acknowledge")
        /// The session is over.
        public static let channelClosed = Kind(rawValue: "channel_closed")
        /// Both sides are there.
        public static let startPublication = Kind(rawValue: "start_publication")
        /// The other side has gone away for a while.
        public static let pausePublication = Kind(rawValue: "pause_publication")
    }

    /// What a stream message carries.
    public struct PayloadType: RawRepresentable, Sendable, Hashable {
        /// The number on the wire.
        public let rawValue: UInt32
        /// Names a type.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Nothing in particular: acknowledgements have it.
        public static let none = PayloadType(rawValue: 0)
        /// Bytes of the stream.
        public static let output = PayloadType(rawValue: 1)
        /// An error of the agent's, as text.
        public static let error = PayloadType(rawValue: 2)
        /// The terminal's size.
        public static let size = PayloadType(rawValue: 3)
        /// What the agent wants to know before it begins.
        public static let handshakeRequest = PayloadType(rawValue: 5)
        /// The answer.
        public static let handshakeResponse = PayloadType(rawValue: 6)
        /// From now on bytes may flow.
        public static let handshakeComplete = PayloadType(rawValue: 7)
        /// A secret that the agent wants to see decrypted.
        public static let challengeRequest = PayloadType(rawValue: 8)
        /// The same, encrypted by the client.
        public static let challengeResponse = PayloadType(rawValue: 9)
        /// A ``ChannelFlag``.
        public static let flag = PayloadType(rawValue: 10)
        /// Bytes of standard error.
        public static let standardError = PayloadType(rawValue: 11)
        /// The exit status, as text.
        public static let exitCode = PayloadType(rawValue: 12)
    }

    /// SYN and FIN, which all messages outside of the streams carry.
    public static let controlFlags: UInt64 = 3

    /// What it is for.
    public var kind: Kind
    /// Milliseconds since 1970.
    public var created: UInt64
    /// Its place in its stream, from 0.
    public var sequenceNumber: Int64 = 0
    /// SYN and FIN.
    public var flags: UInt64 = 0
    /// Its own id.
    public var id: MessageID
    /// What it carries; nil in the shorter header.
    public var payloadType: PayloadType? = PayloadType.none
    /// What it carries.
    public var payload: [UInt8] = []

    /// Makes a message.
    /// - Parameters:
    ///   - kind: what it is for.
    ///   - created: milliseconds since 1970.
    ///   - id: its own id.
    public init(_ kind: Kind, created: UInt64, id: MessageID) {
        self.kind = kind
        self.created = created
        self.id = id
    }

    // MARK: - Bytes

    private static let shortHeader = 112
    private static let longHeader = 116
    private static let kindLength = 32
    /// Nothing the service sends is longer; a websocket message may be.
    private static let longest = 1 << 20

    /// Reads a message.
    /// - Parameter bytes: all of a websocket message.
    /// - Throws: ``FrameError``.
    public init(_ bytes: [UInt8]) throws(FrameError) {
        if bytes.count > Frame.longest { throw .tooLong(bytes.count) }
        var reader = FrameReader(bytes)
        let header = try reader.number(UInt32.self)
        guard [Frame.shortHeader, Frame.longHeader].contains(Int(header)) else {
            throw .headerLength(header)
        }
        kind = Kind(padded: try reader.take(Frame.kindLength))
        let version = try reader.number(UInt32.self)
        guard version == 1 else { throw .schemaVersion(version) }
        created = try reader.number(UInt64.self)
        sequenceNumber = Int64(bitPattern: try reader.number(UInt64.self))
        flags = try reader.number(UInt64.self)
        id = MessageID(wire: try reader.take(16))
        let digest = try reader.take(32)
        payloadType =
            Int(header) == Frame.longHeader
            ? PayloadType(rawValue: try reader.number(UInt32.self)) : nil
        let length = try reader.number(UInt32.self)
        guard let count = Int(exactly: length), count == reader.left else {
            throw .payloadLength(length, found: reader.left)
        }
        payload = Array(try reader.take(count))
        // Messages that only tell something have no payload and no digest.
        if !payload.isEmpty, !SHA256.hash(data: payload).elementsEqual(digest) { throw .digest }
    }

    /// The message as it is sent.
    public var bytes: [UInt8] {
        let header = payloadType == nil ? Frame.shortHeader : Frame.longHeader
        var bytes: [UInt8] = []
        bytes.reserveCapacity(header + 4 + payload.count)
        append(UInt32(header), to: &bytes)
        let name = kind.rawValue.utf8.prefix(Frame.kindLength)
        bytes += name
        bytes += repeatElement(0x20, count: Frame.kindLength - name.count)
        append(UInt32(1), to: &bytes)
        append(created, to: &bytes)
        append(UInt64(bitPattern: sequenceNumber), to: &bytes)
        append(flags, to: &bytes)
        for half in id.wire { append(half, to: &bytes) }
        bytes += SHA256.hash(data: payload)
        if let payloadType { append(payloadType.rawValue, to: &bytes) }
        append(UInt32(clamping: payload.count), to: &bytes)
        bytes += payload
        return bytes
    }
}

extension Frame.Kind {
    private static let known: [Self] = [
        .output, .acknowledge, .input, .channelClosed, .startPublication, .pausePublication,
    ]

    /// Reads a name, padded with blanks, or with NUL as some do.
    fileprivate init(padded bytes: ArraySlice<UInt8>) {
        let name = bytes.prefix { $0 != 0 && $0 != 0x20 }
        // There is one for each message: those that are known make no text.
        self =
            Self.known.first { name.elementsEqual($0.rawValue.utf8) }
            ?? Self(rawValue: String(decoding: name, as: UTF8.self))
    }
}

/// What is wrong with bytes that should be a message.
public enum FrameError: Error, Equatable {
    /// It ends before its end.
    case truncated
    /// It is longer than anything the service sends.
    case tooLong(Int)
    /// A header of another length than the two known ones.
    case headerLength(UInt32)
    /// Another version than 1.
    case schemaVersion(UInt32)
    /// The length it states is not the length it has.
    case payloadLength(UInt32, found: Int)
    /// The payload is not what its digest says.
    case digest

    /// One line: lower case, no full stop.
    public var summary: String {
        switch self {
        case .truncated: "a message that ends before its end"
        case .tooLong(let count): "a message of \(count) bytes"
        case .headerLength(let count): "a message with a header of \(count) bytes"
        case .schemaVersion(let version): "a message of version \(version)"
        case .payloadLength(let stated, let found):
            "a message that says it carries \(stated) bytes, and carries \(found)"
        case .digest: "a message that is not what its digest says"
        }
    }
}

private struct FrameReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var left: Int { rest.count }

    mutating func take(_ count: Int) throws(FrameError) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .truncated }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type
    ) throws(FrameError) -> Number {
        try take(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
    }
}

private func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
}
