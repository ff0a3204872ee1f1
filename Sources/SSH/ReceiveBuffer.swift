internal import CLibSSH

/// What of one stream has arrived and was not taken yet.
///
/// The oldest bytes are in `portion`, read out of libssh for a sink that then took a part only; the
/// rest is in libssh's own buffer, whose length only its data callback tells.
final class ReceiveBuffer {
    typealias Sink = (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int

    private let isStandardError: Bool
    private var portion: [UInt8] = []
    private var portionStart = 0
    private var inLibrary = 0
    /// Set while the sink runs, which may ask how much is left but not for more.
    private var isHandingOn = false

    init(isStandardError: Bool) { self.isStandardError = isStandardError }

    /// All bytes not handed on.
    var count: Int { portion.count - portionStart + inLibrary }

    /// libssh offers everything it holds of this stream.
    /// - Returns: bytes the sink took of it.
    func receive(_ data: UnsafeRawBufferPointer, into sink: Sink) -> Int {
        inLibrary = data.count
        // Older bytes go first.
        guard !isHandingOn, portion.isEmpty else { return 0 }
        let count = unsafe handOn(data, to: sink)
        inLibrary = data.count - count
        return count
    }

    /// Hands on until the sink takes no more or nothing is left.
    func drain(_ handle: OpaquePointer?, into sink: Sink) {
        guard !isHandingOn else { return }
        repeat { unsafe flush(into: sink) } while unsafe portion.isEmpty && refill(handle)
    }

    /// Keeps bytes that were read out of libssh in passing, when there were none before them.
    func keep(_ data: UnsafeRawBufferPointer) {
        unsafe portion.append(contentsOf: data)
        inLibrary = max(0, inLibrary - data.count)
    }

    /// libssh's buffer is gone, and with it what was in it.
    func forgetLibrary() { inLibrary = 0 }

    private func refill(_ handle: OpaquePointer?) -> Bool {
        guard inLibrary > 0 else { return false }
        // All of it: libssh lets the server send 1.25 MB more after each read, however much is left.
        let wanted = inLibrary
        let isError = Int32(isStandardError ? 1 : 0)
        portion = unsafe Array(unsafeUninitializedCapacity: wanted) { buffer, count in
            // Does not poll, as there is something to be read; asks for no more than there is, so
            // it does not raise the window.
            let read = unsafe ssh_channel_read_timeout(
                handle,
                buffer.baseAddress,
                UInt32(wanted),
                isError,
                0
            )
            count = max(0, Int(read))
        }
        // Less than wanted is the end of a connection that broke.
        inLibrary = portion.isEmpty ? 0 : inLibrary - portion.count
        return !portion.isEmpty
    }

    private func flush(into sink: Sink) {
        guard !portion.isEmpty else { return }
        portionStart += unsafe portion.withUnsafeBytes { bytes in
            unsafe handOn(UnsafeRawBufferPointer(rebasing: bytes[portionStart...]), to: sink)
        }
        guard portionStart == portion.count else { return }
        portion = []
        portionStart = 0
    }

    private func handOn(_ data: UnsafeRawBufferPointer, to sink: Sink) -> Int {
        isHandingOn = true
        defer { isHandingOn = false }
        return max(0, min(unsafe sink(data, isStandardError), data.count))
    }
}
