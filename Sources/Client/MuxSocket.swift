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

    private let descriptor: Descriptor
    private var framing = MuxFraming()
    /// What is to be written, and how much of it was.
    private var output: [UInt8] = []
    private var written = 0
    /// Descriptors to be sent, and the bytes of `output` that go before each.
    private var passed: [(position: Int, number: Int32)] = []

    /// Takes a connected local socket and makes it non-blocking.
    /// - Throws: ``SystemError``.
    init(_ descriptor: consuming Descriptor) throws(SystemError) {
        try setNonBlocking(descriptor.number)
        self.descriptor = descriptor
    }

    /// The descriptor to poll.
    var number: Int32 { descriptor.number }
    /// Whether something waits to be written.
    var hasOutput: Bool { waitingCount > 0 || !passed.isEmpty }
    /// Bytes that wait to be written.
    var waitingCount: Int { output.count - written }

    /// Puts a message out; ``flush()`` writes it.
    func send(_ body: [UInt8]) { output += MuxFraming.encode(body) }

    /// Puts a descriptor out, which has to stay open until it is written.
    func send(descriptor: Int32) { passed.append((output.count, descriptor)) }

    /// Writes what the socket takes.
    /// - Throws: ``SystemError``; EPIPE when the other side is gone.
    func flush() throws(SystemError) {
        while let next = passed.first {
            guard try write(upTo: next.position),
                case .done = try sendDescriptor(next.number, over: number)
            else { return }
            passed.removeFirst()
        }
        guard try write(upTo: output.count) else { return }
        output.removeAll(keepingCapacity: output.count <= MuxFraming.longest)
        written = 0
    }

    /// - Returns: whether the socket took all of it.
    private func write(upTo end: Int) throws(SystemError) -> Bool {
        while written < end {
            let taken = unsafe output.withUnsafeBytes { bytes in
                Result { () throws(SystemError) in
                    unsafe try Posix.write(
                        number,
                        UnsafeRawBufferPointer(rebasing: bytes[written..<end])
                    )
                }
            }
            guard case .done(let count) = try taken.get() else {
                forgetWritten()
                return false
            }
            written += count
        }
        return true
    }

    /// What never runs empty must not grow for ever.
    private func forgetWritten() {
        guard written > MuxFraming.longest else { return }
        output.removeFirst(written)
        for index in passed.indices { passed[index].position -= written }
        written = 0
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
