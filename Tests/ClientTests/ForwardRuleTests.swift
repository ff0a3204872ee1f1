import Posix
import SSHConfig
import Testing

@testable import Client

@Suite("The rules of forwards")
struct ForwardRuleTests {
    @Test(
        "the bind address decides what is listened on, and GatewayPorts where there is none",
        arguments: [
            (nil, false, ForwardBinding.loopback), (nil, true, .wildcard), ("", false, .wildcard),
            ("*", false, .wildcard), ("localhost", true, .loopback),
            ("127.0.0.1", true, .host("127.0.0.1")), ("::1", false, .host("::1")),
            ("0.0.0.0", false, .host("0.0.0.0")), ("name.example", false, .host("name.example")),
        ] as [(String?, Bool, ForwardBinding)]
    )
    func binding(host: String?, gatewayPorts: Bool, expected: ForwardBinding) {
        #expect(ForwardBinding(host, gatewayPorts: gatewayPorts) == expected)
    }

    @Test(
        "a binding has the addresses of the families that are wanted",
        arguments: [
            (ForwardBinding.loopback, nil, ["::1", "127.0.0.1"]),
            (.loopback, .ipv4, ["127.0.0.1"]), (.loopback, .ipv6, ["::1"]),
            (.wildcard, .ipv4, ["0.0.0.0"]), (.wildcard, nil, ["0.0.0.0", "::"]),
            (.host("192.0.2.1"), nil, ["192.0.2.1"]),
        ] as [(ForwardBinding, SocketFamily?, [String])]
    )
    func addresses(binding: ForwardBinding, family: SocketFamily?, expected: [String]) throws {
        let addresses = try binding.addresses(port: 8080, family: family)
        #expect(addresses.map(\.host) == expected)
        #expect(addresses.allSatisfy { $0.port == 8080 })
    }

    @Test(
        "PermitRemoteOpen lets through what it names and nothing else",
        arguments: [
            ([], "a", 1, true), (["any"], "a", 1, true), (["none"], "a", 1, false),
            (["a:1"], "a", 1, true), (["a:1"], "a", 2, false), (["a:1"], "b", 1, false),
            (["a:*"], "a", 65535, true), (["*:22"], "b", 22, true), (["*:22"], "b", 23, false),
            (["[::1]:80"], "::1", 80, true), (["b:2", "a:1"], "a", 1, true),
            (["A:1"], "a", 1, false),
        ] as [([String], String, UInt16, Bool)]
    )
    func permission(words: [String], host: String, port: UInt16, expected: Bool) {
        #expect(RemoteOpenPermission(words).allows(host, port) == expected)
    }

    @Test(
        "a line after ~C is read as OpenSSH reads it",
        arguments: [
            ("", .none), ("  ", .none), ("-", .none), ("h", .help), ("?", .help), ("-h", .help),
            ("-L 8080:host:80", .openLocal(.tcp(8080, to: "host", 80))),
            ("L8080:host:80", .openLocal(.tcp(8080, to: "host", 80))),
            ("-R 8080:host:80", .openRemote(.tcp(8080, to: "host", 80))),
            ("-R 8080", .openRemote(.socks(8080))), ("-D 1080", .openLocal(.socks(1080))),
            ("-KL 8080", .cancelLocal(.tcp(host: nil, port: 8080), isDynamic: false)),
            ("-KD *:8080", .cancelLocal(.tcp(host: "*", port: 8080), isDynamic: true)),
            ("-KR 8080", .cancelRemote(.tcp(host: nil, port: 8080))),
            ("-KL /tmp/a", .cancelLocal(.unix(path: "/tmp/a"), isDynamic: false)),
            ("x", .wrong("Invalid command.")), ("-Kx", .wrong("Invalid command.")),
            ("!ls", .wrong("Invalid command.")),
            ("-KL a:b:c", .wrong("Bad forwarding close specification.")),
            ("-L nonsense", .wrong("Bad local forwarding specification.")),
            ("-L 8080", .wrong("Bad local forwarding specification.")),
            ("-R x", .wrong("Bad remote forwarding specification.")),
        ] as [(String, CommandLineEscape)]
    )
    func commandLine(line: String, expected: CommandLineEscape) {
        let read = CommandLineEscape(line, permitsLocalCommand: false, .nothing)
        #expect(read == expected)
    }

    @Test("a local command after ~C has to be permitted")
    func localCommand() {
        let read = CommandLineEscape("!ls -l", permitsLocalCommand: true, .nothing)
        #expect(read == .localCommand("ls -l"))
    }

    @Test("refusals are worded as OpenSSH words them")
    func words() {
        #expect(
            ForwardWords.openFailed(3, 2, "Connection refused")
                == "channel 3: open failed: connect failed: Connection refused"
        )
        #expect(
            ForwardFault.remotePort(9000).words
                == ["Error: remote port forwarding failed for listen port 9000"]
        )
        #expect(
            ForwardFault.remotePath("/a").warning
                == "Warning: remote port forwarding failed for listen path /a"
        )
        #expect(ForwardFault.local.words == ["Could not request local forwarding."])
    }
}

extension Forward {
    fileprivate static func tcp(_ port: Int, to host: String, _ target: Int) -> Forward {
        Forward(
            listener: .tcp(host: nil, port: port),
            destination: .tcp(host: host, port: target)
        )
    }

    fileprivate static func socks(_ port: Int) -> Forward {
        Forward(listener: .tcp(host: nil, port: port), destination: .socks)
    }
}

extension ConfigEnvironment {
    fileprivate static var nothing: ConfigEnvironment {
        ConfigEnvironment(user: (name: "me", id: 1, home: "/home/me"))
    }
}
