/// Finds where the remote half begins to speak, after what start-up files print.
struct MagicLine {
    /// What the line says after its first word.
    enum Word: Equatable {
        /// Frames follow.
        case version1
        /// The host has no Python that will do.
        case noPython
    }

    private static let magic = Array("EC2SH-RESUME ".utf8)
    /// What start-up files may print.
    static let noiseLimit = 65_536
    /// The longest word there may be.
    private static let wordLimit = 16

    private var passed = 0
    private var matched = 0
    private var word: [UInt8] = []

    /// Goes on in what came.
    /// - Returns: nil while the line is not complete.
    mutating func find(
        in bytes: Span<UInt8>,
        _ position: inout Int
    ) throws(ResumeError) -> Word? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if matched < MagicLine.magic.count {
                passed += 1
                guard passed <= MagicLine.noiseLimit else { throw .noise }
                step(byte)
            } else if byte == UInt8(ascii: "\n") {
                return try meaning
            } else {
                guard word.count < MagicLine.wordLimit else { throw .version("unknown") }
                word.append(byte)
            }
        }
        return nil
    }

    private mutating func step(_ byte: UInt8) {
        if byte == MagicLine.magic[matched] {
            matched += 1
        } else {
            // Nothing of the magic is its own beginning but the letter E.
            let hadE = matched > 1 && MagicLine.magic[matched - 1] == MagicLine.magic[0]
            matched = hadE && byte == MagicLine.magic[1] ? 2 : byte == MagicLine.magic[0] ? 1 : 0
        }
    }

    private var meaning: Word {
        get throws(ResumeError) {
            let text = String(decoding: word, as: UTF8.self)
            switch text {
            case "1": return .version1
            case "none": return .noPython
            default: throw .version(text.unicodeScalars.allSatisfy(\.isASCII) ? text : "unknown")
            }
        }
    }
}
