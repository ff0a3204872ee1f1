import Testing

@testable import SSHConfig

struct DestinationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let typed: String
        let read: Destination?
        var testDescription: String { typed }

        init(_ typed: String, _ host: String? = nil, user: String? = nil, port: Int? = nil) {
            self.typed = typed
            read = host.map { Destination(user: user, host: $0, port: port) }
        }
    }

    private static func services(_ name: String) -> Int? { name == "ssh" ? 22 : nil }

    static let typed = [
        Row("host", "host"), Row("u@host", "host", user: "u"), Row("a@b@c", "c", user: "a@b"),
        Row("u@", "", user: "u"), Row("@host"), Row("", ""), Row("host:22", "host:22"),
        Row("ssh://host", "host"), Row("ssh://u@host:2222", "host", user: "u", port: 2_222),
        Row("ssh://host/", "host"), Row("ssh://host:22/", "host", port: 22), Row("ssh://host/path"),
        Row("ssh://host:22/path"), Row("ssh://host:x"), Row("ssh://host:0"), Row("ssh://"),
        Row("ssh://@host"), Row("ssh://a%20b@host", "host", user: "a b"), Row("ssh://%zz@host"),
        Row("ssh://%00@host"), Row("ssh://%4@host"), Row("ssh://a+b@host", "host", user: "a b"),
        Row("ssh://u;x=y@host", "host", user: "u"), Row("ssh://[::1]"), Row("ssh://ho st"),
        Row("ssh://host.", "host"), Row("ssh://host:ssh", "host", port: 22),
        Row("SSH://host", "SSH://host"), Row("ssh:/host", "ssh:/host"), Row("ssh://[host"),
    ]

    @Test("Destinations of the command line", arguments: typed)
    func readTyped(_ row: Row) {
        #expect(Destination.typed(Array(row.typed.utf8), Self.services) == row.read)
    }

    static let jumps = [
        Row("host", "host"), Row("u@host:22", "host", user: "u", port: 22), Row("host:", "host"),
        Row("a@b@c", "c", user: "a@b"), Row("@host"), Row("host:0"), Row("host:99999"),
        Row("[::1]:22", "::1", port: 22), Row("[::1]", "::1"), Row("::1"), Row("host/x"), Row(""),
        Row("[a]b"), Row("[]", ""), Row("ssh://u@h:1", "h", user: "u", port: 1),
        Row("host:ssh", "host", port: 22),
    ]

    @Test("Hosts of ProxyJump", arguments: jumps)
    func readJump(_ row: Row) {
        #expect(Destination.jump(Array(row.typed.utf8), Self.services) == row.read)
    }

    static let hosts: [(name: String, isSafe: Bool)] = [
        ("host", true), ("", true), ("a.b-c_d", true), ("::1%eth0", true), ("-x", false),
        ("a b", false), ("a;b", false), ("$x", false), ("a,b", false), ("a\u{1}", false),
        ("naïve", true), ("a{b", false), ("a\\b", false),
    ]

    @Test("Host names that would do harm in commands are refused", arguments: hosts)
    func safeHost(_ row: (name: String, isSafe: Bool)) {
        #expect(SafeNames.isHost(Array(row.name.utf8)) == row.isSafe)
    }

    static let users: [(name: String, isSafe: Bool)] = [
        ("me", true), ("", true), ("DOM\\user", true), ("user\\", false), ("-x", false),
        ("a b", true), ("a -b", false), ("a\t-b", false), ("a'b", false), ("a$b", true),
        ("a\nb", false), ("a,b", true), ("a`b", false), ("{x}", false),
    ]

    @Test("User names that would do harm in commands are refused", arguments: users)
    func safeUser(_ row: (name: String, isSafe: Bool)) {
        #expect(SafeNames.isUser(Array(row.name.utf8)) == row.isSafe)
    }
}
