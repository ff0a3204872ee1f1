import Testing

@testable import SSH

private let ed = KeyVectors.line("ed25519")
private let other = KeyVectors.line("ed25519-other")
private let rsa = KeyVectors.line("rsa2048")
private let p256 = KeyVectors.line("ecdsa256")

private func known(_ text: String) -> KnownHosts {
    KnownHosts([KnownHosts.File("f", Array(text.utf8), .user)])
}

struct KnownHostsTests {
    /// What a name finds; the number is the line of the entry.
    enum Found: Equatable {
        case match(Int)
        case changed(Int)
        case revoked
        case unknown
    }

    @Test(
        "A shown key is judged by the lines of its host",
        arguments: [
            ("h \(ed)\n", Found.match(1)),
            ("h \(ed)", .match(1)),
            ("h \(ed)\r\n", .match(1)),
            ("h \(ed) a comment\r\n", .match(1)),
            ("  \t h \t \(ed)\n", .match(1)),
            ("# comment\n\n   \nh \(ed)\n", .match(4)),
            ("H \(ed)\n", .match(1)),
            ("a,h,b \(ed)\n", .match(1)),
            ("h,!h \(ed)\n", .unknown),
            ("!h,h \(ed)\n", .unknown),
            ("!x,* \(ed)\n", .match(1)),
            ("!x \(ed)\n", .unknown),
            ("? \(ed)\n", .match(1)),
            ("?? \(ed)\n", .unknown),
            ("[h]:2222 \(ed)\n", .unknown),
            ("[h]:22 \(ed)\n", .unknown),
            ("h \(other)\n", .changed(1)),
            ("h \(rsa)\nh \(other)\nx \(ed)\n", .changed(2)),
            ("h \(other)\nh \(ed)\n", .match(2)),
            ("@revoked h \(ed)\n", .revoked),
            ("@revoked\th \(ed)\n", .revoked),
            ("h \(ed)\n@revoked * \(ed)\n", .revoked),
            ("h \(ed)\n@revoked * \(other)\n", .match(1)),
            ("@cert-authority h \(ed)\n", .unknown),
            ("@unknown h \(ed)\n", .unknown),
            ("@revoked @revoked h \(ed)\n", .unknown),
            ("h\n", .unknown),
            ("h ssh-ed25519\n", .unknown),
            ("h ssh-ed25519 \n", .unknown),
            ("h ssh-ed25519 AAAA\n", .unknown),
            ("h ssh-rsa \(ed.split(separator: " ")[1])\n", .unknown),
            ("h rsa-sha2-256 \(rsa.split(separator: " ")[1])\n", .changed(1)),
            ("h 2048 35 1234567\n", .unknown),
            ("|1|AAAA|AAAA \(ed)\nh \(ed)\n", .match(2)),
            ("|2|x h \(ed)\n", .unknown),
            ("h \(ed.dropLast(4))\nh \(ed)\n", .match(2)),
            ("h\0 \(ed)\n", .unknown),
        ]
    )
    func judged(text: String, expected: Found) {
        let found: Found =
            switch known(text).lookUp("h").status(of: KeyVectors.key("ed25519")) {
            case .match(let entry): .match(entry.line)
            case .changed(let entry): .changed(entry.line)
            case .revoked: .revoked
            case .unknown: .unknown
            }
        #expect(found == expected, "\(text)")
    }

    @Test("A name on another port is looked up with it")
    func ports() {
        #expect(KnownHostsName.of("h", port: 22) == "h")
        #expect(KnownHostsName.of("h", port: 0) == "h")
        #expect(KnownHostsName.of("::1", port: 2222) == "[::1]:2222")
        #expect(known("[h]:2222 \(ed)\n").lookUp("[h]:2222").all.count == 1)
        #expect(known("[*]:2222 \(ed)\n").lookUp("[h]:2222").all.count == 1)
    }

    @Test("Hashed names are found, and hide the name")
    func hashed() {
        let salt = Array(UInt8(0)..<20)
        let key = KeyVectors.key("ed25519")
        let addition = KnownHostsAddition(
            names: ["Host.Example", "10.0.0.1"],
            key: key,
            isHashed: true
        )
        let text = String(decoding: addition.lines { salt }, as: UTF8.self)
        #expect(text.split(separator: "\n").count == 2)
        #expect(!text.contains("xample"))
        for name in ["host.example", "10.0.0.1"] {
            #expect(known(text).lookUp(name).all.count == 1)
        }
        #expect(known(text).lookUp("host.exampl").all.isEmpty)
    }

    @Test("Bad lines about the host are noted, and only those")
    func notes() {
        var notes: [String] = []
        _ = known("h ssh-rsa bad\nx ssh-rsa bad\n|1|bad|bad \(ed)\nh \(ed)\n")
            .lookUp("h") { notes.append($0) }
        #expect(
            notes == [
                "f:1: parse error in hostkeys file", "f:3: parse error in hostkeys file",
            ]
        )
    }

    @Test("Files are looked through in order")
    func order() {
        let hosts = KnownHosts([
            KnownHosts.File("a", Array("h \(other)\n".utf8), .user),
            KnownHosts.File("b", Array("\nh \(ed)\n".utf8), .system),
        ]).adding(output: Array("h \(rsa)\n".utf8), invocation: "HOSTNAME")
        let entries = hosts.lookUp("h").all
        #expect(entries.map(\.path) == ["a", "b", "KnownHostsCommand-HOSTNAME"])
        #expect(entries.map(\.line) == [1, 2, 1])
        #expect(entries.map(\.origin) == [.user, .system, .command])
    }

    @Test("A key of an unknown kind counts where it is the same, and never as another key")
    func unknownKind() throws {
        var writer = WireWriter()
        writer.string(Array("ssh-new".utf8))
        writer.string([1])
        let new = try #require(HostKey(blob: writer.bytes))
        let hosts = known("h \(new.line)\n")
        guard case .match = hosts.lookUp("h").status(of: new) else {
            Issue.record("the same key was not found")
            return
        }
        #expect(hosts.lookUp("h").status(of: KeyVectors.key("ed25519")) == .unknown)
    }

    private static let all = [
        "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com", "ssh-ed25519",
        "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "rsa-sha2-512", "rsa-sha2-256",
    ]

    @Test(
        "Algorithms of known keys go first",
        arguments: [
            ("", all),
            ("h \(ed)\nh \(rsa)\n", all),
            ("h \(rsa)\n", [1, 5, 6, 0, 2, 3, 4].map { all[$0] }),
            ("h \(p256)\n", [3, 0, 1, 2, 4, 5, 6].map { all[$0] }),
            ("h \(p256)\n@cert-authority h \(rsa)\n", [0, 1, 3, 2, 4, 5, 6].map { all[$0] }),
            ("x \(rsa)\n@revoked h \(rsa)\n", all),
        ]
    )
    func preferred(text: String, expected: [String]) {
        #expect(known(text).lookUp("h").preferKnown(Self.all) == expected)
    }

    @Test("Other names of a key are told, hashed ones not by name")
    func otherNames() {
        let key = KeyVectors.key("ed25519")
        let hash = String(
            decoding: KnownHostsName.hashed(Array("x".utf8), salt: Array(UInt8(0)..<20)),
            as: UTF8.self
        )
        let text = "h \(ed)\na,b \(ed)\n\(hash) \(ed)\n@revoked c \(ed)\nd \(rsa)\n"
        let hosts = KnownHosts([KnownHosts.File("/home/u/.ssh/k", Array(text.utf8), .user)])
        #expect(
            hosts.otherNames(of: key, besides: "h", home: "/home/u") == [
                "~/.ssh/k:2: a,b", "~/.ssh/k:3: [hashed name]",
            ]
        )
        #expect(
            hosts.otherNames(of: key, besides: "h", home: "/home/u2").first
                == "/home/u/.ssh/k:2: a,b"
        )
    }

    @Test("Patterns with many stars take no more time than rows times columns")
    func stars() {
        let text = String(repeating: "*a", count: 400) + "b \(ed)\n"
        let name = String(repeating: "a", count: 1000)
        #expect(known(text).lookUp(name).all.isEmpty)
    }

    @Test("A line may be as long as it likes, a pattern as long as OpenSSH's buffer")
    func long() {
        let names = (0..<20_000).map { "host\($0)" }.joined(separator: ",")
        #expect(known("\(names),h \(ed)\n").lookUp("h").all.count == 1)
        #expect(
            known("\(String(repeating: "x", count: 1022)),h \(ed)\n").lookUp("h").all.count == 1
        )
        #expect(known("\(String(repeating: "x", count: 1023)),h \(ed)\n").lookUp("h").all.isEmpty)
    }
}
