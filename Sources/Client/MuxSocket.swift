internal import Posix

/// A control socket: messages and descriptors both ways, in their order, without ever waiting.
final class MuxSocket {
    /// What has come.
    enum Received: Equatable {
        /// A message without its length.
        case message([UInt8])
        /// Nothing more now.
        case nothing
        /// The other side has closed.
        case end
    }

    private enum Piece {
        case bytes(ArraySlice<UInt8>)
        case descriptor(Int32)
    }

    private let descriptor: Descriptor
    private var framing = MuxFraming()
    private var output: [Piece] = []

    /// Takes a connected local socket and makes it non-blocking.
    /// - Throws: ``SystemError``.
    init(_ descriptor: consuming Descriptor) throws(SystemError) {
        try setNonBlocking(descriptor.number)
        self.descriptor = descriptor
    }

    /// The descriptor to poll.
    var number: Int32 { descriptor.number }
    /// Whether something waits to be written.
    var hasOutput: Bool { !output.isEmpty }

    /// Puts a message out; ``flush()`` writes it.
    func send(_ body: [UInt8]) {
        output.append(.bytes(MuxFraming.encode(body)[...]))
    }

    /// Puts a descriptor out, which has to stay open until it is written.
    func send(descriptor: Int32) {
        output.append(.descriptor(descriptor))
    }

    /// Writes what the socket takes.
    /// - Throws: ``SystemError``; EPIPE when the other side is gone.
    func flush() throws(SystemError) {
        while let piece = output.first {
            switch piece {
            case .bytes(let bytes):
                guard let count = try write(bytes) else { return }
                let rest = bytes.dropFirst(count)
                if !rest.isEmpty {
                    output[0] = .bytes(rest)
                    continue
                }
            case .descriptor(let passed):
                guard case .done = try sendDescriptor(passed, over: number) else { return }
            }
            output.removeFirst()
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int? {
        let written = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in unsafe try Posix.write(number, bytes) }
        }
        guard case .done(let count) = try written.get() else { return nil }
        return count
    }

    /// Reads up to the end of one message.
    /// - Throws: ``SystemError``; ``MuxMalformed``.
    func receive() throws -> Received {
        while true {
            var bytes = [UInt8](repeating: 0, count: framing.missing)
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(SystemError) in unsafe try Posix.read(number, into: buffer) }
            }
            guard case .done(let count) = try read.get() else { return .nothing }
            if count == 0 { return .end }
            if let body = try framing.take(bytes.prefix(count)) { return .message(body) }
        }
    }

    /// Takes a descriptor that the other side has sent.
    /// - Throws: ``SystemError``; EBADMSG when there came something else.
    func receiveDescriptor() throws(SystemError) -> Posix.Received {
        try Posix.receiveDescriptor(number)
    }
}
