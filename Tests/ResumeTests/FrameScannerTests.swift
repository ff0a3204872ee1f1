import Testing

@testable import Resume

@Suite struct FrameScannerTests {
    private static let frames =
        frame(0x09, wire(4, 3)) + frame(0x01, wire(4, 8) + [1, 2, 3, 4, 5])
        + frame(0x04, wire(4, 0))
        + frame(0x02, wire(4, 0) + [6]) + frame(0x0c, [])

    private static func shape(_ type: UInt8) -> FrameScanner.Shape? {
        switch type {
        case 0x01, 0x02: .flowing(prefix: 4, most: 16)
        case 0x09, 0x04, 0x0c: .whole(most: 4)
        default: nil
        }
    }

    /// Whole frames as they are, and the bytes of others with their prefix.
    private func scan(_ bytes: [UInt8], step: Int) throws -> [[UInt8]] {
        var scanner = FrameScanner(FrameScannerTests.shape)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            let part = Array(bytes[start..<min(start + step, bytes.count)])
            var position = 0
            while let piece = try scanner.next(in: part.span, &position, end: part.count) {
                switch piece {
                case .whole(let type, let payload): found.append([type] + payload)
                case .flowing(let type, let prefix, let passed, let place):
                    if passed == 0 { found.append([type, UInt8(prefix)]) }
                    #expect(found.last?.count == 2 + passed)
                    found[found.count - 1] += part[place]
                }
            }
            #expect(position == part.count)
        }
        return found
    }

    @Test("Frames are the same in whatever pieces they come")
    func pieces() throws {
        for step in 1...FrameScannerTests.frames.count {
            #expect(
                try scan(FrameScannerTests.frames, step: step)
                    == [
                        [9, 0, 0, 0, 3], [1, 8, 1, 2, 3, 4, 5], [4, 0, 0, 0, 0], [2, 0, 6], [12],
                    ]
            )
        }
    }

    @Test(
        "Types and lengths that must not be are seen with the header",
        arguments: [
            [0x07, 0, 0, 0], [0x09, 0, 0, 5], [0x01, 0, 0, 4], [0x01, 0, 0, 17], [0x01, 0, 0, 0],
            [0x09, 0xff, 0xff, 0xff],
        ] as [[UInt8]]
    )
    func bad(_ bytes: [UInt8]) {
        #expect(throws: ResumeError.self) { try scan(bytes, step: 4) }
    }
}
