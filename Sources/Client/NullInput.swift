internal import Posix

/// Standard input with `-n`: at its end from the beginning, without a descriptor.
final class NullInput: ByteEndpoint {
    let number: Int32? = nil
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        .done(0)
    }
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        .done(bytes.count)
    }
    func close() {}
}
