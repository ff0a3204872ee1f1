internal import Posix

/// Carries bytes one way, from one descriptor to another, with one buffer between.
///
/// Both are non-blocking. It is over when the source has ended and all is put down, or when nobody
/// takes the bytes any more.
@safe final class ByteFlow {
    private static let bufferSize = 65_536

    /// Whether nothing more is carried.
    private(set) var isOver = false

    private let source: Int32
    private let sink: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private var waiting = 0..<0
    private var hasEnded = false
    private var slot: PollSet.Slot?

    /// Joins two descriptors, which live longer than the flow.
    init(from source: Int32, to sink: Int32) {
        self.source = source
        self.sink = sink
        unsafe buffer = .allocate(byteCount: ByteFlow.bufferSize, alignment: 16)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    func watch(_ set: inout PollSet) {
        slot = nil
        if isOver { return }
        slot = waiting.isEmpty ? set.watch(source, .read) : set.watch(sink, .write)
    }

    /// Moves what can be moved now.
    func advance(_ set: PollSet) {
        guard !isOver, !set[slot].isEmpty else { return }
        do throws(SystemError) {
            if waiting.isEmpty { try fill() }
            try empty()
        } catch {
            isOver = true
        }
        if hasEnded && waiting.isEmpty { isOver = true }
    }

    private func fill() throws(SystemError) {
        guard case .done(let count) = unsafe try read(source, into: buffer) else { return }
        waiting = 0..<count
        hasEnded = count == 0
    }

    private func empty() throws(SystemError) {
        while !waiting.isEmpty {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[waiting])
            guard case .done(let count) = unsafe try write(sink, bytes) else { return }
            waiting = (waiting.lowerBound + count)..<waiting.upperBound
        }
    }
}
