/// Bytes of a numbered stream that the other side has not consumed, for sending and sending again.
///
/// ```
///        base          end
///  ········┣━━━━━┿━━━━━┫          number n is in chunk n / 131,072
///   gone     chunk chunk
/// ```
struct Backlog {
    /// Bytes of a chunk: few allocations in a full backlog, little waste in an idle one.
    private static let chunkSize: UInt64 = 131_072

    /// All full but the last.
    private var chunks: [[UInt8]] = []
    /// A chunk that was used up, whose memory the next one takes.
    private var spare: [UInt8]?
    /// The number of `chunks[0]`.
    private var firstChunk: UInt64 = 0
    /// The number of the first byte that is here.
    private(set) var base: UInt64 = 0
    /// The number that the next byte gets.
    private(set) var end: UInt64 = 0

    var count: Int { Int(end - base) }

    mutating func append(_ bytes: Span<UInt8>) {
        var start = 0
        while start < bytes.count {
            let room = prepareRoom()
            let count = min(room, bytes.count - start)
            let part = bytes.extracting(start..<(start + count))
            // The array has no other way to take many bytes of a span at once; the pointer does not
            // leave the closure.
            unsafe part.withUnsafeBufferPointer {
                unsafe chunks[chunks.count - 1].append(contentsOf: $0)
            }
            start += count
            end += UInt64(count)
        }
    }

    /// - Returns: how many bytes the last chunk takes, at least 1.
    private mutating func prepareRoom() -> Int {
        let used = end % Backlog.chunkSize
        if used == 0 {
            chunks.append(spare ?? [])
            spare = nil
        }
        return Int(Backlog.chunkSize - used)
    }

    /// Forgets the bytes below a number that is not beyond the end.
    mutating func free(below number: UInt64) {
        guard number > base else { return }
        base = min(number, end)
        let unused = Int(base / Backlog.chunkSize - firstChunk)
        guard unused > 0 else { return }
        spare = chunks[0]
        spare?.removeAll(keepingCapacity: true)
        chunks.removeFirst(unused)
        firstChunk += UInt64(unused)
    }

    /// Copies bytes from a number on.
    /// - Parameters:
    ///   - start: at least ``base``.
    ///   - count: so many; there must be as many before ``end``.
    ///   - buffer: where they go.
    func copy(from start: UInt64, _ count: Int, into buffer: inout [UInt8]) {
        var number = start
        let stop = start + UInt64(count)
        while number < stop {
            let offset = number % Backlog.chunkSize
            let length = min(stop - number, Backlog.chunkSize - offset)
            let chunk = chunks[Int(number / Backlog.chunkSize - firstChunk)]
            buffer.append(contentsOf: chunk[Int(offset)..<Int(offset + length)])
            number += length
        }
    }
}
