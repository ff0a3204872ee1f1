internal import Posix

/// One end of a byte stream on this side: a standard stream, or a socket of our own.
///
/// Reads and writes never wait: `.again` says that the loop has to.
protocol ByteEndpoint: AnyObject {
    /// The descriptor to poll; nil once it is closed.
    var number: Int32? { get }
    /// Reads what is there; 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int>
    /// Writes what is taken now.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int>
    /// Gives the stream away, so that its other end sees the end of it.
    func close()
}

extension StandardStream: ByteEndpoint {}

extension ByteEndpoint {
    /// Writes what is taken now of a few bytes.
    func write(_ bytes: [UInt8]) throws(SystemError) -> Attempt<Int> {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in unsafe try write(bytes) }
        }
        return try result.get()
    }

    /// Reads a few bytes.
    /// - Returns: what is there; none at the end.
    func read(most: Int) throws(SystemError) -> Attempt<[UInt8]> {
        var bytes = [UInt8](repeating: 0, count: most)
        let result = unsafe bytes.withUnsafeMutableBytes { bytes in
            Result { () throws(SystemError) in unsafe try read(into: bytes) }
        }
        guard case .done(let count) = try result.get() else { return .again }
        return .done(Array(bytes.prefix(count)))
    }
}

/// An end of a socket of our own: reads and writes go to the same descriptor.
final class SocketEnd: ByteEndpoint {
    private var descriptor: Descriptor?

    /// Takes a connected stream socket and makes it non-blocking.
    /// - Throws: ``SystemError``.
    init(_ descriptor: consuming Descriptor) throws(SystemError) {
        try setNonBlocking(descriptor.number)
        self.descriptor = consume descriptor
    }

    var number: Int32? {
        switch descriptor {
        case .some(let descriptor): descriptor.number
        case .none: nil
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        guard let number else { return .done(0) }
        return unsafe try Posix.read(number, into: buffer)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        guard let number else { return .done(bytes.count) }
        return unsafe try Posix.write(number, bytes)
    }

    /// Ends our direction; what the other side still sends can be read.
    func close() {
        if let number { try? shutDownWriting(number) }
    }
}
