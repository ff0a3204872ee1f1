/// Finds the frames of one layer in bytes that come in any pieces.
///
/// ```
///  0  u8   type
///  1  u24  length of the payload
///  4       payload
/// ```
///
/// Small frames are gathered and given whole. Data is not: each piece of it is told as a place in
/// the bytes at hand, as soon as it is there, so that none of it is copied or waited for.
struct FrameScanner {
    /// How the payload of a type is treated.
    enum Shape {
        /// Gathered; at most so many bytes long.
        case whole(most: Int)
        /// So many bytes of prefix are gathered, a number; then comes data, at least one byte of it.
        case flowing(prefix: Int, most: Int)
    }

    /// What was found.
    enum Piece: Equatable {
        case whole(type: UInt8, payload: [UInt8])
        /// A part of a frame's data: `passed` bytes of it came before.
        case flowing(type: UInt8, prefix: UInt64, passed: Int, Range<Int>)
    }

    private struct Flow {
        let type: UInt8
        let prefix: UInt64
        var passed = 0
        var left: Int
    }

    private static let headerLength = 4

    private let shape: @Sendable (UInt8) -> Shape?
    private var held: [UInt8] = []
    private var flow: Flow?

    /// Makes a scanner.
    /// - Parameter shape: what is known of a type; nil when it must not come.
    init(_ shape: @escaping @Sendable (UInt8) -> Shape?) { self.shape = shape }

    /// Finds the next piece.
    /// - Parameters:
    ///   - bytes: what came.
    ///   - position: where to go on in it; what is used up is behind it afterwards.
    ///   - end: where to stop.
    /// - Returns: nil when all is used up.
    /// - Throws: ``ResumeError/malformed(_:)`` for a type or length that must not come.
    mutating func next(
        in bytes: Span<UInt8>,
        _ position: inout Int,
        end: Int
    ) throws(ResumeError) -> Piece? {
        if let piece = nextOfFlow(&position, end) { return piece }
        guard gather(FrameScanner.headerLength, bytes, &position, end) else { return nil }
        let type = held[0]
        let length = Int(held[1]) << 16 | Int(held[2]) << 8 | Int(held[3])
        switch shape(type) {
        case nil: throw .malformed("a frame of type \(type)")
        case .whole(let most):
            if length > most { throw .malformed("a frame of type \(type) with \(length) bytes") }
            let count = FrameScanner.headerLength + length
            guard gather(count, bytes, &position, end) else { return nil }
            defer { held.removeAll(keepingCapacity: true) }
            return .whole(type: type, payload: Array(held[FrameScanner.headerLength...]))
        case .flowing(let prefix, let most):
            if length > most || length <= prefix {
                throw .malformed("a frame of type \(type) with \(length) bytes")
            }
            let count = FrameScanner.headerLength + prefix
            guard gather(count, bytes, &position, end) else { return nil }
            let number = held[FrameScanner.headerLength...].reduce(0) { $0 << 8 | UInt64($1) }
            held.removeAll(keepingCapacity: true)
            flow = Flow(type: type, prefix: number, left: length - prefix)
            return nextOfFlow(&position, end)
        }
    }

    private mutating func nextOfFlow(_ position: inout Int, _ end: Int) -> Piece? {
        guard var flow, position < end else { return nil }
        let count = min(flow.left, end - position)
        let piece = Piece.flowing(
            type: flow.type,
            prefix: flow.prefix,
            passed: flow.passed,
            position..<(position + count)
        )
        position += count
        flow.passed += count
        flow.left -= count
        self.flow = flow.left == 0 ? nil : flow
        return piece
    }

    /// Has so many bytes of the frame at hand, if they have come.
    private mutating func gather(
        _ count: Int,
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ end: Int
    ) -> Bool {
        while held.count < count, position < end {
            held.append(bytes[position])
            position += 1
        }
        return held.count >= count
    }
}
