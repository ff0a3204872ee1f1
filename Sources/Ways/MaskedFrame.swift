internal import NIOCore
internal import NIOWebSocket

/// A frame of a client's, header and masked content in one piece (RFC 6455 §5.2, §5.3).
///
/// NIO's own encoder masks byte by byte, which for a frame of some kilobytes costs as much as all
/// the rest of it together.
struct MaskedFrame {
    /// Two bytes, eight of a length, four of a mask.
    static let longestHeader = 14

    /// The whole frame.
    private(set) var bytes: ByteBuffer

    /// Makes a frame that is a whole message.
    /// - Parameters:
    ///   - opcode: what it is.
    ///   - size: bytes of content, as far as they are known.
    ///   - key: four bytes that nobody can foresee.
    ///   - allocator: makes the buffer.
    ///   - content: puts the content into a buffer, behind what is there.
    init(
        _ opcode: WebSocketOpcode,
        size: Int,
        key: UInt32,
        _ allocator: ByteBufferAllocator,
        _ content: (inout ByteBuffer) -> Void
    ) {
        let room = MaskedFrame.longestHeader
        bytes = allocator.buffer(capacity: room + size)
        bytes.moveWriterIndex(to: room)
        bytes.moveReaderIndex(to: room)
        content(&bytes)
        let length = bytes.readableBytes
        mask(with: key)
        var header = allocator.buffer(capacity: room)
        header.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        switch length {
        case ...125: header.writeInteger(0x80 | UInt8(length))
        case ...0xffff: header.writeMultipleIntegers(UInt8(0x80 | 126), UInt16(length))
        default: header.writeMultipleIntegers(UInt8(0x80 | 127), UInt64(length))
        }
        header.writeInteger(key)
        let start = room - header.readableBytes
        bytes.setBuffer(header, at: start)
        bytes.moveReaderIndex(to: start)
    }

    private mutating func mask(with key: UInt32) {
        let four = key.bigEndian
        let eight = UInt64(four) << 32 | UInt64(four)
        unsafe bytes.withUnsafeMutableReadableBytes { content in
            let end = content.count & ~7
            for place in stride(from: 0, to: end, by: 8) {
                let word = unsafe content.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                unsafe content.storeBytes(of: word ^ eight, toByteOffset: place, as: UInt64.self)
            }
            for place in end..<content.count {
                unsafe content[place] ^= UInt8(
                    truncatingIfNeeded: eight.littleEndian >> (place % 8 * 8)
                )
            }
        }
    }
}

/// Takes whole frames past NIO's encoder, which stands behind it.
final class FrameWriter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Puts a frame out, without a flush.
    func write(_ frame: MaskedFrame) {
        context?.write(wrapOutboundOut(frame.bytes), promise: nil)
    }
}
