import Testing

@testable import Resume

@Suite struct MagicLineTests {
    private func find(_ text: [UInt8], step: Int) throws -> (MagicLine.Word?, rest: Int) {
        var line = MagicLine()
        var start = 0
        while start < text.count {
            let end = min(start + step, text.count)
            let part = Array(text[start..<end])
            var position = 0
            if let word = try line.find(in: part.span, &position) {
                return (word, text.count - start - position)
            }
            start = end
        }
        return (nil, 0)
    }

    @Test(
        "The line is found after any noise",
        arguments: [
            ("EC2SH-RESUME 1\n", MagicLine.Word.version1, 0),
            ("Last login: never\r\nEC2SH-RESUME 1\n\u{3}abc", .version1, 4),
            ("EC2SH-REC2SH-RESUME 1\nx", .version1, 1),
            ("EC2SH-RESUMEC2SH-RESUME 1\nx", .version1, 1),
            ("EEEC2SH-RESUME none\n", .noPython, 0),
            ("EC2SH-EC2SH-EC2SH-RESUME 1\n", .version1, 0),
            ("EC2SH-RESUME", nil, 0), ("EC2SH-RESUM 1\n", nil, 0), ("", nil, 0),
        ]
    )
    func line(_ text: String, _ word: MagicLine.Word?, _ rest: Int) throws {
        for step in [1, 2, 7, 1000] {
            let found = try find(Array(text.utf8), step: step)
            #expect(found.0 == word && found.rest == rest, "in steps of \(step)")
        }
    }

    @Test("Another version, and more noise than any start-up file makes, are told")
    func bad() {
        #expect(throws: ResumeError.version("2")) {
            try find(Array("EC2SH-RESUME 2\n".utf8), step: 3)
        }
        #expect(throws: ResumeError.version("unknown")) {
            try find(Array("EC2SH-RESUME 11111111111111111\n".utf8), step: 3)
        }
        let noise = Array(repeating: UInt8(ascii: "E"), count: MagicLine.noiseLimit)
        #expect(throws: ResumeError.noise) { try find(noise + [0], step: 1000) }
        #expect(throws: Never.self) { try find(noise, step: 1000) }
    }
}
