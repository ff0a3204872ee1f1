import TestSupport

/// One question put to both programs: files and a command line.
struct ConfigurationCase {
    /// Names below the case's directory with what they hold.
    var files: [(name: String, contents: [UInt8])] = []
    /// Names of files that get other permission bits than 0600.
    var modes: [(name: String, mode: UInt16)] = []
    /// What follows the program's name.
    var arguments: [String] = []
    /// Whether the user's and the system's files are used, in place of `-F`.
    var usesStandardFiles = false
}

/// Makes cases from a seed.
struct ConfigurationGenerator {
    private var values: ConfigurationValues
    private let directory: String
    /// Whether names can be looked up without asking anybody.
    private var canLookUp = false

    init(seed: UInt64, directory: String) {
        self.directory = directory
        values = ConfigurationValues(random: Seeded(seed), directory: directory)
    }

    /// Makes one case.
    mutating func next() -> ConfigurationCase {
        var made = ConfigurationCase()
        // Most cases are to come to an end without an error, so that much is compared.
        values.badness = values.random.pick([1_000, 1_000, 200, 12, 3])
        let isGentle = values.badness >= 1_000
        made.usesStandardFiles = values.random.once(in: 8)
        canLookUp = made.usesStandardFiles
        let main = made.usesStandardFiles ? "home/.ssh/config" : "config"
        made.files.append((main, text(lines: 1...14, isGentle)))
        if made.usesStandardFiles {
            made.files.append(("ssh_config", text(lines: 1...6, isGentle)))
            if values.random.once(in: 8) {
                made.modes.append((main, values.random.pick([0o644, 0o666, 0o664, 0o000])))
            }
        }
        for name in ["inc1", "inc2", "sub"] {
            made.files.append((name, text(lines: 0...4, isGentle)))
        }
        made.files.append(("deep", Array("Include \(directory)/inc1\nHost target\nPort 77\n".utf8)))
        made.files.append(("loop", Array("Port 99\nInclude \(directory)/loop\n".utf8)))
        made.files.append(("perm", Array("Port 66\n".utf8)))
        made.modes.append(("perm", values.random.pick([0o600, 0o666, 0o622])))
        made.files.append(("bad", Array("Nonsense 1\nPort\nUser x\n".utf8)))
        made.files.append(("f", []))
        made.arguments = arguments(made.usesStandardFiles, isGentle)
        return made
    }

    // MARK: Files

    private mutating func text(lines: ClosedRange<Int>, _ isGentle: Bool) -> [UInt8] {
        if !isGentle, values.random.once(in: 40) { return noise() }
        var text: [UInt8] = []
        for line in values.random.some(lines, { _ in "" }).map({ _ in self.line(isGentle) }) {
            text += Array(line.replacing("$DIR", with: directory).utf8)
            text += values.random.once(in: 30) ? [13, 10] : [10]
            if !isGentle, values.random.once(in: 60) {
                text.append(UInt8(values.random.below(256)))
            }
        }
        if values.random.once(in: 20) { text.removeLast(min(1, text.count)) }
        return text
    }

    private mutating func noise() -> [UInt8] {
        let alphabet =
            Array("HostMatch Port=\"'\\#\n\n\t %${}*?!,:[]".utf8) + [0, 7, 12, 13, 0xC3, 0xFF]
        return (0..<values.random.below(400)).map { _ in values.random.pick(alphabet) }
    }

    private mutating func line(_ isGentle: Bool) -> String {
        if values.random.once(in: 12) {
            return values.random.pick(["", "# c", "  ", "\t# x", "#", "\u{c}"])
        }
        var (name, kind) = values.random.pick(ConfigurationValues.keywords)
        if values.random.once(in: 7) { (name, kind) = ("Host", .hosts) }
        if values.random.once(in: 9) { (name, kind) = ("Match", .match) }
        if canLookUp, values.random.once(in: 9) {
            (name, kind) = values.random.pick(ConfigurationValues.canonicalKeywords)
        }
        if !isGentle, values.random.once(in: 25) {
            (name, kind) = (values.random.pick(ConfigurationValues.gone), .text)
        }
        return oneLine(name, values.value(for: isGentle ? gentle(kind) : kind))
    }

    private mutating func oneLine(_ name: String, _ value: String) -> String {
        let name = values.random.pick([name, name, name.lowercased(), name.uppercased()])
        let separator = values.random.pick([" ", " ", " ", "  ", "\t", "=", " = ", " =", "= "])
        let tail = values.random.pick(["", "", "", "", " ", "\t ", " # note"])
        return values.random.pick(["", "", "  ", "\t"]) + name + separator + value + tail
    }

    /// Kinds whose tables hold many bad values are toned down where errors are not wanted.
    private mutating func gentle(_ kind: ConfigurationValues.Kind) -> ConfigurationValues.Kind {
        switch kind {
        case .number: .words(["1", "2", "10", "007"])
        case .time: .words(["none", "0", "1h30m", "90", "2d", "5m5"])
        case .port: .words(["22", "2222", "ssh", "65535"])
        case .size: .words(["default", "1G", "16", "1.5M"])
        case .rekey: .words(["default none", "1G 1h", "512k", "0 5m"])
        case .local:
            .words([
                "8080 host:80", "localhost:1 [::1]:2", "/tmp/a /tmp/b", "9 /tmp/%h", "*:7 a:http",
                "${PORT} socks:80", "${SOCK} x:1",
            ])
        case .remote: .words(["8080 host:80", "9090", "0 a:1", "/tmp/r 9:9", "[::]:5", "/r /l"])
        case .dynamic: .words(["1080", "localhost:1081", "[::1]:1082", "/tmp/dyn"])
        case .jump:
            .words([
                "none", "bastion", "me@b:2222", "a,b,c", "u@a:1,b", "[::1]:22", "ssh://u@h:22",
                "10.1.2.3", "a b", "x # y",
            ])
        case .path: .words(["/tmp/a", "~/.ssh/x", "none", "/p/%h-%p", "%C", "${VAR}/x", "~root/y"])
        case .command:
            .words(["nc %h %p", "none", "echo 'a b' %n", "\"q\" x", "cmd %% %C", "a # b"])
        case .files:
            .words(["/tmp/k1 /tmp/k2", "none", "~/kh_${VAR}", "/kh-%h-%k", "~/.ssh/known_hosts"])
        case .names: .words(["LANG", "LC_* FOO", "-LANG", "B?R -LC_*", "-*"])
        case .assignments: .words(["A=b", "B=\"x y\" A=c", "C= D='1 2'", "A=1 A=2"])
        case .qos: .words(["none", "af11 cs1", "0x10", "ef le", "lowdelay 255", "010"])
        case .hosts:
            .words(["*", "target", "!other t*", "t?rget x", "nomatch", "!target *", "TARGET"])
        case .match:
            .words([
                "all", "final", "host target", "!host target", "final host t*", "user root",
                "exec true", "host nomatch exec false", "originalhost target", "canonical",
                "exec \"test %h = target\"", "localuser root all", "!final", "!all", "user me,!x",
                "exec \"test '%C' != x\" host *", "final all", "!canonical user *",
            ])
        case .include:
            .words(["$DIR/inc*", "$DIR/inc1", "$DIR/none*", "$DIR/deep $DIR/sub", "$DIR/inc[12]"])
        case .targets: .words(["any", "none", "host:80 [::1]:22", "host:*"])
        case .domains: .words(["example.com", "A.org. b.c", "none"])
        case .aliases: .words(["none", "*.a:*.b X.Y:Z", "*"])
        case .algorithms(let names):
            .words(
                names.filter { !$0.hasPrefix("gss") || names.count < 5 }
                    .flatMap { [$0, "+" + $0, "-" + $0, "^" + $0] } + ["-*sha1*"]
            )
        case .text: .words(["abc", "%h", "\"two words\"", "x.y", "none", "127.1", "a,b"])
        case .words(let words): .words(Array(words.prefix(4)))
        default: kind
        }
    }
}

// MARK: The command line

extension ConfigurationGenerator {
    private mutating func arguments(_ usesStandardFiles: Bool, _ isGentle: Bool) -> [String] {
        var arguments = ["-G"]
        if values.random.once(in: 3) { arguments.append("-T") }
        if !usesStandardFiles {
            let file = values.random.once(in: 50) ? "none" : "\(directory)/config"
            arguments += ["-F", isGentle || !values.random.once(in: 40) ? file : "/nonexistent/x"]
        }
        for _ in 0..<values.random.pick([0, 0, 1, 2, 5]) { arguments += flag(isGentle) }
        if !isGentle, values.random.once(in: 30) { return arguments }
        if values.random.once(in: 12) { arguments.append("--") }
        arguments.append(destination(isGentle))
        if values.random.once(in: 5) { arguments += flag(isGentle) }
        if values.random.once(in: 12) { arguments.append("--") }
        if values.random.once(in: 6) {
            arguments += values.random.pick([
                ["true"], ["ls", "-l"], [""], ["--", "x"], ["a b", "-p"],
            ])
        }
        return arguments
    }

    private mutating func destination(_ isGentle: Bool) -> String {
        if isGentle || values.random.once(in: 2) {
            return values.random.pick(["target", "target", "me@target", "10.0.0.1", "other"])
        }
        return values.random.pick([
            "Target", "a@b@target", "@target", "user@", "", "-", "ssh://me@target:2222",
            "ssh://target", "ssh://target/", "ssh://target/path", "ssh://target:x", "ssh://@target",
            "ssh://a%20b@target", "ssh://u;x=y@target:1/", "ssh://", "ssh://[::1]:22", "127.1",
            "::1",
            "0x7f.1", "1.2.3", "fe80::1%lo", "fe80::1%nope", "host$x", "a b", "tar;get", "(x)",
            "user -x@target", "u\\@target", "u`@target", "naïve", "-x", "999.999.999.999", "0",
            "host.", "UPPER@Target", "x\u{1}", "ssh:/target", "SSH://target", "a{b", "a,b",
            "0.0.0.1",
        ])
    }

    private mutating func flag(_ isGentle: Bool) -> [String] {
        switch values.random.below(10) {
        case 0...4: return option(isGentle)
        case 5, 6: return valueFlag(isGentle)
        case 7: return cluster(isGentle)
        default:
            return [
                "-"
                    + values.random.pick([
                        "4", "6", "n", "x", "X", "Y", "g", "A", "a", "K", "k", "C", "t", "tt", "T",
                        "M",
                        "MM", "N", "q", "2", "P", "s", "f", "v", "y",
                    ])
            ]
        }
    }

    /// `-o` in all its forms.
    private mutating func option(_ isGentle: Bool) -> [String] {
        let (name, kind) = values.random.pick(ConfigurationValues.keywords)
        let value = values.value(for: isGentle ? gentle(kind) : kind)
            .replacing("$DIR", with: directory)
        let blank = values.random.pick(["=", "=", " ", " = ", "  ", "\t"])
        let text = values.random.pick(["", "", "", " "]) + name + blank + value
        if name == "Include" { return [] }
        let odd = ["", "=", "Port", "Host x", "Match all", "Include x", "#c", " ", "Nonsense=1"]
        if !isGentle, values.random.once(in: 12) { return ["-o", values.random.pick(odd)] }
        return values.random.once(in: 2) ? ["-o", text] : ["-o" + text]
    }

    private mutating func valueFlag(_ isGentle: Bool) -> [String] {
        let gentleFlags: [(String, [String])] = [
            ("-p", ["22", "2222", "ssh"]), ("-l", ["me", "you", "a.b"]), ("-b", ["10.0.0.1"]),
            ("-B", ["lo"]), ("-c", ["aes128-ctr", "+aes256-ctr"]), ("-m", ["hmac-sha1"]),
            ("-e", ["none", "^A", "x"]), ("-i", ["\(directory)/f", "/nonexistent/key"]),
            ("-I", ["/lib/p11.so"]), ("-J", ["bastion", "a,u@b:1"]), ("-S", ["none", "/tmp/s-%h"]),
            ("-L", ["8080:host:80", "/tmp/a:/tmp/b", "9:/tmp/%u", "localhost:1:[::1]:2"]),
            ("-R", ["8080:host:80", "9090", "/r:h:1", "0:h:2"]), ("-D", ["1080", "[::1]:1081"]),
            ("-W", ["host:22", "[::1]:22"]), ("-w", ["0:1", "any"]),
            ("-F", ["\(directory)/config"]),
        ]
        let badFlags: [(String, [String])] = [
            ("-p", ["0", "65536", "x", "", "22x", "-1", " 22"]),
            ("-l", ["", "-x", "a b", "a -b", "${FOO}", "a'b", "x\\"]),
            ("-c", ["bogus", "-aes*", "", "^bogus", "aes128-ctr,,x"]),
            ("-m", ["+hmac-sha1", "x", ""]), ("-e", ["", "xy", "^", "^^", "\\", " ", "é"]),
            ("-J", ["", "a,,b", "-x", "none", "a;b", "u;@h"]), ("-S", ["%z", "${NOPE}", "~"]),
            ("-L", ["x", "80", "0:h:1", "1:2:3:4:5", "[", "8080:h:80\\", "${NOPE}:a:1", "8080:"]),
            ("-R", ["x:y", "a:b:c:d:e", "", ":0"]), ("-D", ["x", "", "0", "1:2:3"]),
            ("-W", ["x", "host", "/sock", "8080", "h:0", ""]), ("-w", ["x", "1:2:3", ""]),
            ("-O", ["check", "bogus", "proxy", "exit"]),
            ("-Q", ["help", "nope", "protocol-version"]),
            ("-i", ["~nosuchuser/x", "~"]), ("-1", [""]), ("-F", ["/nonexistent", directory]),
        ]
        let (flag, choices) = values.random.pick(
            isGentle || values.random.once(in: 2) ? gentleFlags : badFlags
        )
        let value = values.random.pick(choices)
        if flag == "-1" { return [flag] }
        return values.random.once(in: 3) && !value.isEmpty ? [flag + value] : [flag, value]
    }

    /// Several letters in one word, the last perhaps with a value.
    private mutating func cluster(_ isGentle: Bool) -> [String] {
        let letters = values.random.some(1...4) { random in
            random.pick(["4", "6", "A", "C", "N", "T", "a", "g", "k", "n", "q", "t", "x"])
        }
        var word = "-" + letters.joined()
        if isGentle { return [word] }
        switch values.random.below(6) {
        case 0: word += "p\(values.random.below(70_000))"
        case 1: return [word + "l", "me"]
        case 2: word += values.random.pick(["z", ":", "-", "?", "Z"])
        case 3: word += "oPort=7"
        case 4: word += "p"
        default: break
        }
        return [word]
    }
}
