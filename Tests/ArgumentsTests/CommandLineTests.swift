import Arguments
import Testing

/// Command lines with what is read from them, in one word per thing.
struct CommandLineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let typed: String
        let read: String
        var testDescription: String { typed }

        init(_ typed: String, _ read: String) {
            self.typed = typed
            self.read = read
        }
    }

    /// Typed words are separated by blanks; `_` stands for an empty word.
    static let rows = [
        Row("host", "host"),
        Row("host ls -l", "host | ls -l"),
        Row("-v host", "-v host"),
        Row("-vv host", "-v -v host"),
        Row("-p 22 host", "-p=22 host"),
        Row("-p22 host", "-p=22 host"),
        Row("-vp22 host", "-v -p=22 host"),
        Row("-4Nvp 22 host", "-4 -N -v -p=22 host"),
        Row("-o Port=2 -oUser=x host", "-o=Port=2 -o=User=x host"),
        // Flags may follow the host, up to the first word that is none.
        Row("host -p 22 ls -l", "host -p=22 | ls -l"),
        Row("host ls -p 22", "host | ls -p 22"),
        Row("-l u host -v -- ls -v", "-l=u host -v | ls -v"),
        Row("-n -tt host -- mosh-server new", "-n -t -t host | mosh-server new"),
        // A -- in front of the host ends flags for good, and is a word of the command after it.
        Row("-- host -p 22", "host | -p 22"),
        Row("-- host -- ls", "host | -- ls"),
        Row("-s -- host sftp", "-s host | sftp"),
        // The value of a flag counts as one too, as in OpenSSH.
        Row("-l -- host -p 22", "-l=-- host | -p 22"),
        Row("-o -- -- host", "-o=-- host"),
        Row("-- -host", "-host"),
        // A dash alone is a host, and a cluster that ends in one as well.
        Row("- ls", "- | ls"),
        Row("-T- host", "-T -T- | host"),
        Row("_ ls", " | ls"),
        Row("host _", "host | "),
        Row("-p _ host", "-p= host"),
        Row("", ""),
        Row("-v", "-v"),
        // What is wrong comes after what was right.
        Row("-v -z host", "-v !z"),
        Row("-vz host", "-v !z"),
        Row("--help", "!-"),
        Row("-: host", "!:"),
        Row("-? host", "!?"),
        Row("-4-6 host", "-4 !-"),
        Row("-v -p", "-v p!"),
        Row("host -o", "host o!"),
        Row("host -z", "host !z"),
    ]

    @Test("Command lines are read as BSD getopt reads them for ssh", arguments: rows)
    func read(_ row: Row) {
        let words = row.typed.split(separator: " ").map { $0 == "_" ? "" : String($0) }
        #expect(summary(Invocation(arguments: ["ec2sh"] + words)) == row.read)
    }

    @Test("Every flag of ssh's getopt string is in the table, and takes a value or not as there")
    func flags() {
        let getopt = "1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:PQ:R:S:TVw:W:XYy"
        var expected: [Character: Bool] = [:]
        var last: Character?
        for letter in getopt {
            if letter == ":", let last {
                expected[last] = true
            } else {
                expected[letter] = false
                last = letter
            }
        }
        let table = Dictionary(uniqueKeysWithValues: Flag.table.map { ($0.flag, $0.value != nil) })
        #expect(Flag.allCases.count == expected.count)
        for (letter, takesValue) in expected {
            let flag = Flag(rawValue: letter)
            #expect(flag?.takesValue == takesValue, "-\(letter)")
            #expect(flag.flatMap { table[$0] } == takesValue, "-\(letter)")
        }
    }

    private func summary(_ invocation: Invocation) -> String {
        var parts = invocation.words.map { word in
            switch word {
            case .flag(let flag, nil): "-\(flag.rawValue)"
            case .flag(let flag, let value?): "-\(flag.rawValue)=\(value)"
            case .long(let option): "--\(option.rawValue)"
            case .destination(let text): text
            }
        }
        switch invocation.complaint {
        case .unknownFlag(let letter): parts.append("!\(letter)")
        case .missingValue(let flag): parts.append("\(flag.rawValue)!")
        case nil: break
        }
        if !invocation.command.isEmpty {
            parts.append("| " + invocation.command.joined(separator: " "))
        }
        return parts.joined(separator: " ")
    }
}
