import Faults
import Testing

@testable import SSHConfig

/// Which files are read, and which are refused.
struct FileTests {
    private let user = "/home/me/.ssh/config"

    @Test("The user's file comes first, then ours, then the system's, then ours")
    func order() {
        let reading = Reading(files: [
            user: "User a", "/home/me/.config/ec2sh/config": "User b\nPort 2",
            "/etc/ssh/ssh_config": "Port 3\nCompression yes\nBatchMode no",
            "/etc/ec2sh/ec2sh.conf": "Compression no\nVisualHostKey yes",
        ])
        let options = reading.outcome(options: ["BatchMode=yes"], files: .standard).options
        #expect(options?.user == "a")
        #expect(options?.port == 2)
        #expect(options?.compression == true)
        #expect(options?.visualHostKey == true)
        #expect(options?.batchMode == true)
    }

    @Test("-F reads one file alone, or none; a missing one ends the run")
    func only() {
        let reading = Reading(files: [user: "Port 1", "/f": "Port 2"])
        #expect(reading.outcome(files: .only("/f")).options?.port == 2)
        #expect(reading.outcome(files: .only("NONE")).options?.port == 22)
        let missing = reading.outcome(files: .only("/nope"))
        #expect(missing.said == ["Can't open user config file /nope: No such file or directory"])
        #expect(Reading().outcome(files: .standard).options != nil)
    }

    static let facts: [(owner: UInt32, group: UInt32, mode: UInt32, isSafe: Bool)] = [
        (1_000, 1_000, 0o600, true), (1_000, 1_000, 0o644, true), (0, 0, 0o644, true),
        (1_001, 1_000, 0o600, false), (1_000, 1_000, 0o666, false), (1_000, 1_000, 0o602, false),
        (1_000, 1_000, 0o664, true), (1_000, 7, 0o664, false),
    ]

    @Test("A file others can write to is refused, but for a private group", arguments: facts)
    func permissions(_ row: (owner: UInt32, group: UInt32, mode: UInt32, isSafe: Bool)) {
        var reading = Reading(files: [user: "Port 7"])
        reading.facts[user] = ConfigEnvironment.FileFacts(
            owner: row.owner,
            group: row.group,
            mode: row.mode
        )
        let outcome = reading.outcome(files: .standard)
        #expect(outcome.options?.port == (row.isSafe ? 7 : nil))
        #expect(outcome.said == (row.isSafe ? [] : ["Bad owner or permissions on \(user)"]))
        // The file of -F is the caller's business; what it includes is not.
        #expect(reading.outcome(files: .only(user)).options?.port == 7)
        reading.files["/f"] = "Include \(user)"
        #expect(reading.outcome(files: .only("/f")).options?.port == (row.isSafe ? 7 : nil))
    }

    static let options: [(text: String, keyword: String, value: String?)] = [
        ("Port=7", "port", "7"), ("Port 7", "port", "7"), (" Port=7", "port", "7"),
        ("port = 7", "port", "7"), ("IdentityFile=\"/a b\"", "identityfile", "/a b"),
        ("ProxyCommand='mosh' '--x' %h", "proxycommand", "'mosh' '--x' %h"),
        ("ProxyCommand=a=b", "proxycommand", "a=b"), ("RemoteCommand=none", "remotecommand", nil),
        ("#Port 7", "port", "22"), ("", "port", "22"), ("Host x", "port", nil),
        ("Match all", "port", nil), ("Include /x", "port", nil), ("Nope=1", "port", nil),
    ]

    @Test("-o is read like a line", arguments: options)
    func option(_ row: (text: String, keyword: String, value: String?)) {
        let outcome = Reading(files: ["/config": ""]).outcome(options: [row.text])
        #expect(outcome.dump(row.keyword).first == row.value)
    }

    @Test("What is wrong in -o is told with its place")
    func wrongOption() {
        let reading = Reading(files: ["/config": ""])
        #expect(
            reading.outcome(options: ["Nope=1"]).said
                == ["command-line: line 0: Bad configuration option: nope"]
        )
        #expect(
            reading.outcome(options: ["Port=x"]).said == ["command-line line 0: Bad port 'x'."]
        )
        #expect(
            reading.outcome(options: ["Include /x"]).said
                == ["Include directive not supported as a command-line option"]
        )
    }

    @Test("LogLevel QUIET silences what files say, and -o before it is taken")
    func quiet() {
        var reading = Reading(files: ["/config": "Nope 1"])
        reading.level = .quiet
        #expect(reading.outcome().said == ["/config: terminating, 1 bad configuration options"])
    }
}
