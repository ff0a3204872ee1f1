import Testing

@testable import SSHConfig

/// Defaults, canonical names, jumps, terminals and late expansion.
struct ResolveTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let host: String
        let file: String
        let hostname: String?
        var testDescription: String { "\(host) \(file)" }

        init(_ host: String, _ file: String, _ hostname: String?) {
            self.host = host
            self.file = "CanonicalizeHostname yes\nCanonicalDomains a.org b.org\n" + file
            self.hostname = hostname
        }
    }

    static let names = [
        Row("web", "", "web.b.org"), Row("WEB", "", "web.b.org"),
        Row("web.b.org.", "", "web.b.org"),
        Row("nope", "", "nope"), Row("nope", "CanonicalizeFallbackLocal no", nil),
        Row("a.b.c", "", "a.b.c"), Row("www.x", "CanonicalizeMaxDots 0", "www.x"),
        Row("10.0.0.1", "", "10.0.0.1"),
        Row("alias", "CanonicalizePermittedCNAMEs *.a.org:*.net", "real.net"),
        Row("alias", "CanonicalizePermittedCNAMEs *.b.org:*.net", "alias.a.org"),
        Row("web", "ProxyCommand x", "web"), Row("web", "ProxyJump x", "web"),
    ]

    @Test("Names are made canonical", arguments: names)
    func canonical(_ row: Row) {
        var reading = Reading(files: ["/config": row.file])
        reading.names = [
            "web.b.org.": "web.b.org", "alias.a.org.": "real.net", "nope.x": "",
        ]
        #expect(reading.outcome(host: row.host).options?.hostname == row.hostname)
    }

    @Test("What somebody gave a value for is known, what is a default is not")
    func given() throws {
        let options = try #require(Reading.file("ServerAliveInterval 0\nHost x\nUser u").options)
        #expect(options.isSet(.serverAliveInterval))
        #expect(!options.isSet(.serverAliveCountMax))
        #expect(!options.isSet(.user))
        #expect(options.user == "me")
    }

    static let lists: [(list: String, names: [String]?)] = [
        ("hmac-sha1", ["hmac-sha1"]),
        ("-umac*,*etm*", ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"]),
        ("^hmac-md5", ["hmac-md5"] + Algorithms.defaultMACs),
        ("+hmac-md5", Algorithms.defaultMACs + ["hmac-md5"]), ("-*", []),
        ("hmac-sha1,hmac-sha1,hmac-md5", ["hmac-sha1", "hmac-md5"]),
        ("hmac-sha1,,x", ["hmac-sha1"]),
        ("+", Algorithms.defaultMACs),
    ]

    @Test("Lists of algorithms are expanded", arguments: lists)
    func algorithms(_ row: (list: String, names: [String]?)) {
        let names = AlgorithmLists.expand(
            row.list,
            defaults: Algorithms.defaultMACs,
            known: Algorithms.macs
        )
        #expect(names == row.names)
    }

    @Test("Of -Q and the defaults, libssh gets only what it can do, group exchange last")
    func usable() {
        let kex = Algorithms.usable(.kex, Algorithms.defaultKex)
        #expect(kex.first == "curve25519-sha256")
        #expect(kex.last == "diffie-hellman-group-exchange-sha256")
        #expect(!kex.contains { $0.hasPrefix("sntrup") })
        let macs = Algorithms.usable(.mac, Algorithms.macs)
        #expect(!macs.contains { $0.hasPrefix("umac") || $0.contains("md5") || $0.contains("-96") })
        #expect(Queries.answer("nope") == nil)
        #expect(Queries.answer("ciphers") == Queries.answer("cipher"))
        #expect(Queries.answer("CIPHER") == nil)
        let keys = Queries.answer("key-plain") ?? []
        #expect(
            keys == [
                "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                "ssh-rsa",
            ]
        )
    }

    static let terminals: [(file: String, command: String, isTerminal: Bool, wants: Bool)] = [
        ("", "", true, true), ("", "ls", true, false), ("RequestTTY yes", "ls", true, true),
        ("RequestTTY no", "", true, false), ("RequestTTY force", "ls", false, true),
        ("RequestTTY yes", "ls", false, false), ("", "", false, false),
        ("SessionType none", "", true, false), ("StdinNull yes", "", true, false),
        ("RemoteCommand x", "", true, false), ("RemoteCommand x\nRequestTTY yes", "", true, true),
    ]

    @Test("A terminal is asked for when ssh would ask for one", arguments: terminals)
    func terminal(_ row: (file: String, command: String, isTerminal: Bool, wants: Bool)) {
        var reading = Reading(files: ["/config": row.file])
        reading.isTerminal = row.isTerminal
        let outcome = reading.outcome(command: row.command)
        #expect(outcome.options != nil)
        #expect(outcome.wantsTerminal == row.wants)
        #expect(outcome.command == (row.file.hasPrefix("RemoteCommand") ? "x" : row.command))
    }

    @Test("A jump host that is the target itself is refused")
    func jumpLoop() {
        #expect(Reading.file("ProxyJump target").said == ["jumphost loop via target"])
        #expect(Reading.file("ProxyJump you@target").options?.proxyJump.first?.user == "you")
        #expect(Reading.file("ProxyJump target:2").options?.proxyJump.first?.port == 2)
    }

    @Test("The hops of ProxyJump come in the order they are reached")
    func hops() {
        let hops = Reading.file("ProxyJump a,u@b:22,[::1]").options?.proxyJump
        #expect(hops?.map(\.host) == ["a", "b", "::1"])
        #expect(hops?.map(\.port) == [nil, 22, nil])
    }

    @Test("Late values are expanded with the tokens of the run")
    func tokens() throws {
        let outcome = Reading.file("Port 7\nUser you\nHostname real")
        let tokens = try #require(outcome.tokens)
        #expect(try tokens.proxyCommand("nc %h %p %r %n %%") == "nc real 7 you target %")
        #expect(throws: ConfigurationFault("vdollar_percent_expand: unknown key %u")) {
            try tokens.proxyCommand("nc %u")
        }
        #expect(try tokens.localCommand("%T %L") == "NONE box")
        #expect(try tokens.localCommand("%T", tunnelInterface: "tun0") == "tun0")
        var environment = ConfigEnvironment(user: (name: "me", id: 1, home: "/home/me"))
        environment.variable = { ["A": "1"][$0] }
        environment.homeOf = { $0 == "you" ? "/home/you" : nil }
        #expect(try tokens.file("~/%h-${A}", in: environment) == "/home/me/real-1")
        #expect(try tokens.file("~you//x", in: environment) == "/home/you/x")
        let query = Tokens.HostKeyQuery(name: "[real]:7", reason: "ORDER", key: nil)
        #expect(
            try tokens.knownHostsCommand("/bin/x \"%H %I\" %t ${A}", query, in: environment)
                == ["/bin/x", "[real]:7 ORDER", "NONE", "1"]
        )
        #expect(try tokens.knownHostsCommand("\"x", query, in: environment) == nil)
    }
}
