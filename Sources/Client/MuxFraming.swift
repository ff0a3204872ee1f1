internal import SSH

/// Cuts the bytes of a control socket into messages.
///
/// Never more may be read than ``missing`` says: a descriptor that follows a message comes with a
/// byte of its own, and is lost when that byte is read with others.
struct MuxFraming {
    /// The longest message, as OpenSSH's CHANNEL_MUX_MAX_PACKET.
    static let longest = 256 * 1024

    private static let headerSize = 4

    private var bytes: [UInt8] = []
    private var length: Int?

    /// How many bytes of the message that comes are not there yet.
    var missing: Int { (length ?? MuxFraming.headerSize) - bytes.count }

    /// Takes bytes, at most ``missing`` of them.
    /// - Returns: a message without its length, when it is whole.
    /// - Throws: ``MuxMalformed`` when its length cannot be.
    mutating func take(_ new: some Collection<UInt8>) throws(MuxMalformed) -> [UInt8]? {
        precondition(new.count <= missing, "more was read than was asked for")
        bytes += new
        if missing > 0 { return nil }
        if length != nil {
            defer { self = MuxFraming() }
            return bytes
        }
        var reader = WireReader(bytes)
        let length = Int(reader.number() ?? 0)
        guard length >= MuxFraming.headerSize, length <= MuxFraming.longest else {
            throw MuxMalformed(what: "length \(length)")
        }
        self.length = length
        bytes.removeAll(keepingCapacity: true)
        return nil
    }

    /// A message with its length.
    static func encode(_ body: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.string(body)
        return writer.bytes
    }
}
