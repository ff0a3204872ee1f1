import Foundation
import TestSupport
import Testing

/// What is answered without a connection: `-Q`, `-V`, `-E`, usage, and files of odd sizes.
@Suite(.serialized)
struct ConfigurationAnswerTests {
    private let programs: ConfigurationPrograms
    private let directory: String

    init() throws {
        directory = "/tmp/ec2sh-answers-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        programs = try ConfigurationPrograms(
            binary: ProcessInfo.processInfo.environment["EC2SH_BINARY"] ?? builtProduct("ec2sh"),
            directory: directory
        )
    }

    private func cleanUp() { try? FileManager.default.removeItem(atPath: directory) }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func lines(_ bytes: [UInt8]) -> [Substring] { text(bytes).split(separator: "\n") }

    static let queries = [
        "cipher", "cipher-auth", "compression", "kex", "kex-gss", "key", "key-cert", "key-plain",
        "key-sig", "mac", "protocol-version", "sig", "help", "Ciphers", "MACs", "KexAlgorithms",
        "HostKeyAlgorithms", "pubkeyacceptedalgorithms", "HostbasedKeyTypes", "nope", "CIPHER-AUTH",
    ]

    @Test("-Q lists what ssh lists in ssh's order, less what libssh cannot do", arguments: queries)
    func query(_ name: String) {
        defer { cleanUp() }
        let ours = programs.spawn([programs.ours, "-Q", name])
        let theirs = programs.spawn([programs.theirs, "-Q", name])
        #expect(ours.status == theirs.status)
        #expect(ours.errors == theirs.errors)
        let missing = ["umac", "md5", "-96", "sntrup", "gss-", "dss", "sk-", "group-exchange"]
        let expected = lines(theirs.output).filter { line in
            !missing.contains { line.contains($0) }
        }
        #expect(lines(ours.output) == expected)
    }

    static let commandLines: [[String]] = [
        [], ["-z"], ["-p"], ["--help"], ["-h"], ["@host"], ["-s", "host"], ["-1", "host"],
        ["-o", "Nope=1", "host"], ["-o", "Port", "host"], ["-F", "/nope", "host"],
        ["-p", "x", "host"],
        ["-L", "x", "host"], ["-R", "x:y", "host"], ["-D", "x", "host"], ["-W", "x", "host"],
        ["-c", "x", "host"], ["-m", "x", "host"], ["-e", "xx", "host"], ["-w", "x", "host"],
        ["-J", "a", "-J", "b", "host"], ["-o", "ProxyCommand=x", "-J", "b", "host"],
        ["-N", "-s", "host", "x"], ["-W", "a:1", "-W", "b:2", "host"], ["-O", "nope", "host"],
        ["-O", "check", "-O", "exit", "host"], ["-W", "a:1", "-O", "check", "host"],
        ["-O", "check", "-W", "a:1", "host"], ["-E", "/tmp", "-G", "host"], ["-", "x"],
        ["-l", "-x", "h"],
        ["-Q", "nope", "-z"], ["-o", "Include=/x", "h"], ["-o", "Match=all", "h"], ["a;b"],
        ["-q", "a;b"],
        ["-y", "-E", "/tmp/x", "h"], ["-i", "/nope", "-G", "-T", "h"],
        ["-q", "-i", "/nope", "-GT", "h"],
    ]

    @Test("Wrong command lines get ssh's words and status", arguments: commandLines)
    func wrong(_ arguments: [String]) {
        defer { cleanUp() }
        let ours = programs.spawn([programs.ours] + arguments)
        let theirs = programs.spawn([programs.theirs] + arguments)
        #expect(ours.status == theirs.status)
        #expect(text(ours.errors) == text(theirs.errors))
        #expect(ours.output == theirs.output)
    }

    @Test("-V says on standard error what tools look for, before anything that is wrong after it")
    func version() {
        defer { cleanUp() }
        let answer = programs.spawn([programs.ours, "-V", "-z"])
        #expect(answer.status == 0)
        #expect(answer.output == [])
        #expect(lines(answer.errors).count == 1)
        #expect(text(answer.errors).hasPrefix("ec2sh_"))
        #expect(text(answer.errors).contains("OpenSSH_9.2"))
    }

    @Test("-E takes what is logged; warnings of flags stay where they are")
    func logFile() throws {
        defer { cleanUp() }
        var answers: [(log: String, answer: ConfigurationPrograms.Answer)] = []
        for program in [programs.ours, programs.theirs] {
            let log = "\(directory)/log"
            unlink(log)
            let answer = programs.spawn(
                [program, "-E", log, "-G", "-F", "/dev/null", "-i", "/nope", "-f", "host"]
            )
            answers.append((try String(contentsOfFile: log, encoding: .utf8), answer))
        }
        #expect(answers[0].log == answers[1].log)
        #expect(answers[0].log.contains("Cannot fork into background"))
        #expect(answers[0].answer == answers[1].answer)
    }

    @Test("A whole keyword of ours is printed only when it was given")
    func ourKeywords() {
        defer { cleanUp() }
        let with = programs.spawn(
            [programs.ours, "-GT", "-F", "none", "-o", "EC2Users=a,b", "-o", "Resume=no", "host"]
        )
        #expect(lines(with.output).suffix(2) == ["ec2users a,b", "resume no"])
        let without = programs.spawn([programs.ours, "-GT", "-F", "none", "host"])
        #expect(!text(without.output).contains("ec2"))
    }

    struct Size: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable () -> [UInt8]
    }

    static let sizes = [
        Size(testDescription: "10,000 Host blocks") {
            var text = ""
            for index in 0..<10_000 {
                text += "Host h\(index) *.d\(index).example.com\n  User u\(index)\n"
                text += "  Port \(index + 1)\n  IdentityFile ~/.ssh/k\(index)\n"
            }
            return Array((text + "Host *\n  Compression yes\n").utf8)
        },
        Size(testDescription: "1 MB of noise") {
            var random = Seeded(7)
            let letters =
                Array("HostMatchPort= \"'\\#\n\n\t%${}*?!,:[]abcdefgh0123456789".utf8)
                + [0, 7, 12, 13, 0xC3, 0xFF]
            return (0..<(1 << 20)).map { _ in random.pick(letters) }
        },
        Size(testDescription: "one line of 1 MB") {
            Array(("ProxyCommand " + String(repeating: "xyz", count: 350_000)).utf8)
        },
    ]

    @Test("Large files are read as ssh reads them, in about its time", arguments: sizes)
    func large(_ size: Size) throws {
        defer { cleanUp() }
        let path = "\(directory)/config"
        try Data(size.make()).write(to: URL(fileURLWithPath: path))
        let clock = ContinuousClock()
        var best: [String: Duration] = [:]
        var answers: [String: ConfigurationPrograms.Answer] = [:]
        for _ in 0..<3 {
            for program in [programs.ours, programs.theirs] {
                let time = clock.measure {
                    answers[program] = programs.spawn([program, "-GT", "-F", path, "h7"])
                }
                best[program] = min(best[program] ?? time, time)
            }
        }
        // A megabyte is not to be printed when they differ.
        let isEqual = answers[programs.ours] == answers[programs.theirs]
        #expect(isEqual)
        let (ours, theirs) = (best[programs.ours] ?? .zero, best[programs.theirs] ?? .zero)
        print("\(size.testDescription): \(ours) against ssh's \(theirs), ratio \(ours / theirs)")
        // A debug build is an order of magnitude slower than what is shipped.
        #expect(ours < .seconds(20))
    }
}
