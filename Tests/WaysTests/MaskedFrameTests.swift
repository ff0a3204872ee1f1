import NIOCore
import NIOEmbedded
import NIOWebSocket
import TestSupport
import Testing

@testable import Ways

struct MaskedFrameTests {
    /// What NIO's decoder, which is none of ours, makes of a frame.
    private func decoded(_ frame: MaskedFrame) throws -> WebSocketFrame {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20))
        )
        try channel.writeInbound(frame.bytes)
        let read = try channel.readInbound(as: WebSocketFrame.self)
        #expect(try channel.finish().isClean)
        return try #require(read)
    }

    @Test(
        "Whatever its length, a frame is read as what was put into it",
        arguments: [0, 1, 2, 3, 7, 8, 9, 125, 126, 127, 1024, 8192, 65_535, 65_536, 100_003]
    )
    func lengths(_ length: Int) throws {
        var random = Seeded(UInt64(length))
        let content = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        let key = UInt32.random(in: .min ... .max, using: &random)
        for opcode in [WebSocketOpcode.binary, .text, .ping, .connectionClose] {
            if length > 125, opcode == .ping || opcode == .connectionClose { continue }
            let frame = MaskedFrame(opcode, size: length, key: key, ByteBufferAllocator()) {
                $0.writeBytes(content)
            }
            let read = try decoded(frame)
            #expect(read.fin && read.opcode == opcode)
            #expect(read.maskKey.map(Array.init) == withUnsafeBytes(of: key.bigEndian, Array.init))
            #expect(Array(buffer: read.unmaskedData) == content)
            #expect(
                frame.bytes.readableBytes - length == (length < 126 ? 6 : length < 65_536 ? 8 : 14)
            )
        }
    }
}
