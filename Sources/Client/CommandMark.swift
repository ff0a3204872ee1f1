/// Tells where a command's output begins on a terminal, where it ends, and with which status: a
/// session of Systems Manager's says none of that, and begins with the first output.
///
/// A mark is a control string (APC, ECMA-48) with a word that nobody can guess: `ESC _ ec2sh:WORD:`
/// and `begin` or the status, `ESC \`. None of it is shown.
struct CommandMark {
    /// The command's exit status, once it has ended.
    private(set) var status: Int?

    private let opening: [UInt8]
    private let name: String
    private var held: [UInt8] = []

    /// A mark is never longer than this.
    private static let longest = 64
    private static let ending: [UInt8] = [0x1b, UInt8(ascii: "\\")]

    /// - Parameter word: of letters and digits.
    init(word: String) {
        name = "ec2sh:\(word):"
        opening = [0x1b, UInt8(ascii: "_")] + Array(name.utf8)
    }

    /// What the command waits for once it has said that it is there.
    static let go = [UInt8(ascii: "\n")]

    /// The command between marks, for `sh -c`; it begins with ``go``.
    func around(_ command: String) -> String {
        "stty -echo; printf '\\033_\(name)begin\\033\\\\'; IFS= read -r _; stty echo; "
            + "sh -c \(StrategyHints.quoted(command)); "
            + "printf '\\033_\(name)%d\\033\\\\' \"$?\""
    }

    /// Takes the marks out of what comes.
    /// - Returns: what is to be shown; the rest may be the beginning of a mark.
    mutating func filter(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var shown: [UInt8] = []
        for byte in bytes {
            held.append(byte)
            while !held.isEmpty, !mayBeMark { shown.append(held.removeFirst()) }
            if held.count > opening.count, held.suffix(2) == CommandMark.ending[...] { note() }
        }
        return shown
    }

    /// Nothing more comes.
    /// - Returns: what was held back and is no mark.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }

    private var mayBeMark: Bool {
        held.count <= CommandMark.longest && zip(held, opening).allSatisfy { $0 == $1 }
    }

    private mutating func note() {
        let word = String(decoding: held.dropFirst(opening.count).dropLast(2), as: UTF8.self)
        if let number = Int(word) { status = number }
        held = []
    }
}
