internal import Posix

/// Carries bytes one way between two ends on this side, with one buffer between.
///
/// An end of the source is passed on once all is put down.
@safe final class EndpointFlow {
    private static let bufferSize = 131_072

    private let source: any ByteEndpoint
    private let sink: any ByteEndpoint
    private let buffer: UnsafeMutableRawBufferPointer
    private var waiting = 0..<0
    private var hasEnded = false
    private var slot: PollSet.Slot?

    /// Called with what was read.
    var onRead: ((UnsafeRawBufferPointer) -> Void)?
    /// Whether nothing more is carried.
    private(set) var isOver = false

    init(from source: any ByteEndpoint, to sink: any ByteEndpoint) {
        self.source = source
        self.sink = sink
        unsafe buffer = .allocate(byteCount: EndpointFlow.bufferSize, alignment: 16)
    }

    deinit { unsafe buffer.deallocate() }

    func watch(_ set: inout PollSet) {
        slot = nil
        if isOver { return }
        guard waiting.isEmpty else {
            slot = sink.number.map { set.watch($0, .write) }
            return
        }
        slot = source.number.map { set.watch($0, .read) }
    }

    /// Moves what can be moved now.
    func ready(_ set: PollSet) {
        guard !isOver, slot == nil || !set[slot].isEmpty else { return }
        do throws(SystemError) {
            if waiting.isEmpty { try fill() }
            try empty()
        } catch {
            hasEnded = true
            waiting = 0..<0
        }
        guard hasEnded && waiting.isEmpty else { return }
        sink.close()
        isOver = true
    }

    private func fill() throws(SystemError) {
        guard case .done(let count) = unsafe try source.read(into: buffer) else { return }
        waiting = 0..<count
        unsafe onRead?(UnsafeRawBufferPointer(rebasing: buffer[waiting]))
        hasEnded = count == 0
    }

    private func empty() throws(SystemError) {
        while !waiting.isEmpty {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[waiting])
            guard case .done(let count) = unsafe try sink.write(bytes) else { return }
            waiting = (waiting.lowerBound + count)..<waiting.upperBound
        }
    }
}
