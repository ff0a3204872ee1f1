import Arguments
import Testing

struct VerbTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let program: String
        let typed: [String]
        let verb: Verb?
        let destination: String?
        var testDescription: String { "\(program) \(typed.joined(separator: " "))" }
    }

    static let rows = [
        Row(program: "ec2sh", typed: ["doctor", "host"], verb: .doctor, destination: "host"),
        Row(
            program: "ec2sh",
            typed: ["proxy", "-F", "f", "host", "22"],
            verb: .proxy,
            destination: "host"
        ),
        Row(program: "/usr/local/bin/ec2sh", typed: ["list"], verb: .list, destination: nil),
        Row(program: "ec2sh", typed: ["attach"], verb: .attach, destination: nil),
        // Only the first word can be one.
        Row(program: "ec2sh", typed: ["-v", "doctor"], verb: nil, destination: "doctor"),
        Row(program: "ec2sh", typed: ["--", "doctor"], verb: nil, destination: "doctor"),
        Row(program: "ec2sh", typed: ["doctor2"], verb: nil, destination: "doctor2"),
        Row(program: "ec2sh", typed: ["Doctor"], verb: nil, destination: "Doctor"),
        Row(program: "ec2sh", typed: ["doctor", "doctor"], verb: .doctor, destination: "doctor"),
        // Under ssh's name there are none.
        Row(program: "ssh", typed: ["doctor"], verb: nil, destination: "doctor"),
        Row(program: "/usr/bin/ssh", typed: ["list"], verb: nil, destination: "list"),
    ]

    @Test("A verb is one only as the first word, and never under the name ssh", arguments: rows)
    func verbs(_ row: Row) {
        let invocation = Invocation(arguments: [row.program] + row.typed)
        #expect(invocation.verb == row.verb)
        #expect(invocation.destination == row.destination)
    }

    @Test("Long options belong to the verbs that have them")
    func longOptions() {
        let doctor = Invocation(arguments: ["ec2sh", "doctor", "--json", "host"])
        #expect(doctor.words == [.long(.json), .destination("host")])
        let after = Invocation(arguments: ["ec2sh", "fix", "host", "--yes"])
        #expect(after.words == [.destination("host"), .long(.yes)])
        let named = Invocation(arguments: ["ec2sh", "attach", "host", "0a", "--end", "-v"])
        #expect(named.words == [.destination("host"), .long(.end), .flag(.verbose, nil)])
        #expect(named.command == ["0a"] && named.complaint == nil)
        let wrong = Invocation(arguments: ["ec2sh", "doctor", "--yes", "host"])
        #expect(wrong.complaint == .unknownFlag("-"))
        let none = Invocation(arguments: ["ec2sh", "--json", "host"])
        #expect(none.complaint == .unknownFlag("-"))
    }

    @Test("The usage text is ssh's under ssh's name, and never has a capital U in front")
    func usage() {
        let ssh = Usage.lines("ssh")
        #expect(
            ssh == [
                "usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]",
                "           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]",
                "           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]",
                "           [-i identity_file] [-J [user@]host[:port]] [-L address]",
                "           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]",
                "           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]",
                "           [-w local_tun[:remote_tun]] destination [command [argument ...]]",
            ]
        )
        let ours = Usage.lines("ec2sh")
        #expect(ours.count == ssh.count + Verb.allCases.count)
        #expect(!ours.joined().contains("Usage:"))
    }
}
