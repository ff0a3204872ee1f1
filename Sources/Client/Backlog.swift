/// What has come and was not taken yet.
final class Backlog {
    private var bytes: [UInt8] = []
    private var start = 0

    var isEmpty: Bool { start == bytes.count }

    func append(_ new: [UInt8]) {
        if isEmpty {
            bytes = new
            start = 0
        } else {
            // What was handed on goes once it is the greater part: a slow sink may never take all.
            if start > bytes.count / 2 {
                bytes.removeFirst(start)
                start = 0
            }
            bytes += new
        }
    }

    /// Hands on until the sink takes no more or nothing is left.
    /// - Returns: bytes taken.
    func handOn(_ sink: (UnsafeRawBufferPointer) -> Int) -> Int {
        let before = start
        while !isEmpty {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe sink(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
            if count <= 0 { break }
            start = min(start + count, bytes.count)
        }
        let count = start - before
        if isEmpty {
            bytes = []
            start = 0
        }
        return count
    }
}
