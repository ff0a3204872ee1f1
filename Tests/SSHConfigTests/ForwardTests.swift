import Testing

@testable import SSHConfig

struct ForwardTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let kind: ForwardText.Kind
        let text: String
        let shown: String?
        var testDescription: String { "\(kind) \(text)" }

        init(_ kind: ForwardText.Kind, _ text: String, _ shown: String?) {
            self.kind = kind
            self.text = text
            self.shown = shown
        }
    }

    static let rows = [
        Row(.local, "8080:host:80", "8080 > host:80"),
        Row(.local, "bind:8080:host:80", "bind:8080 > host:80"),
        Row(.local, "[::1]:8080:[::2]:80", "::1:8080 > ::2:80"),
        Row(.local, ":8080:host:80", ":8080 > host:80"),
        Row(.local, "*:8080:host:http", "*:8080 > host:80"),
        Row(.local, "8080:/sock", "8080 > /sock"),
        Row(.local, "/a:/b", "/a > /b"),
        Row(.local, "/a:host:80", "/a > host:80"),
        Row(.local, "bind:8080:/sock", "bind:8080 > /sock"),
        Row(.local, " 8080:host:80", "8080 > host:80"),
        Row(.local, "8080:a\\:b:80", "8080 > a:b:80"),
        Row(.local, "8080:host:80:", "8080 > host:80"),
        Row(.local, "8080:host:80:\\", "8080 > host:80"),
        Row(.local, "8080:host:80\\", nil),
        Row(.local, "8080", nil), Row(.local, "8080:80", nil), Row(.local, "0:host:80", nil),
        Row(.local, "8080:host:0", nil), Row(.local, "8080:host:x", nil), Row(.local, "", nil),
        Row(.local, "1:2:3:4:5", nil), Row(.local, "[::1:8080:h:1", nil),
        Row(.local, "[::1]x:1:h:1", nil), Row(.local, "/a", nil),
        Row(.local, "8080:" + String(repeating: "h", count: 1_025) + ":80", nil),
        Row(.local, "8080:/" + String(repeating: "p", count: 107), nil),
        Row(.remote, "0:host:80", "0 > host:80"), Row(.remote, "8080", nil),
        Row(.remoteDynamic, "8080", "8080 > socks"), Row(.remoteDynamic, "0", "0 > socks"),
        Row(.remoteDynamic, "bind:8080", "bind:8080 > socks"),
        Row(.dynamic, "1080", "1080 > socks"), Row(.dynamic, "bind:1080", "bind:1080 > socks"),
        Row(.dynamic, "0", nil), Row(.dynamic, "1:2:3", nil),
        Row(.dynamic, "/sock", "/sock > socks"),
        Row(.dynamic, "/a:/b", "/a > /b"), Row(.dynamic, "x", nil),
    ]

    @Test("Forwarding specifications", arguments: rows)
    func read(_ row: Row) {
        let services = { (name: String) in name == "http" ? 80 : nil }
        let forward = ForwardText.read(Array(row.text.utf8), row.kind, services)
        #expect(forward.map(shown) == row.shown)
    }

    private func shown(_ forward: Forward) -> String {
        let listener =
            switch forward.listener {
            case .tcp(let host?, let port): "\(host):\(port)"
            case .tcp(nil, let port): "\(port)"
            case .unix(let path): path
            }
        let destination =
            switch forward.destination {
            case .tcp(let host, let port): "\(host):\(port)"
            case .unix(let path): path
            case .socks: "socks"
            }
        return "\(listener) > \(destination)"
    }
}
