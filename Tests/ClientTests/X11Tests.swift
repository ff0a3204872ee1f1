import Testing

@testable import Client

struct X11DisplayTests {
    @Test(
        "DISPLAY names a socket of this machine or a TCP port",
        arguments: [
            (":0", .socket(path: "/tmp/.X11-unix/X0"), 0),
            (":1.2", .socket(path: "/tmp/.X11-unix/X1"), 2),
            ("::3", .socket(path: "/tmp/.X11-unix/X3"), 0),
            ("unix:10.1", .socket(path: "/tmp/.X11-unix/X10"), 1),
            ("localhost:10.0", .tcp(host: "localhost", port: 6010), 0),
            ("192.0.2.1:0.400", .tcp(host: "192.0.2.1", port: 6000), 400),
            ("host:0.401", .tcp(host: "host", port: 6000), 0),
            ("host:7.x", .tcp(host: "host", port: 6007), 0),
        ] as [(String, X11Display.Place, UInt32)]
    )
    func places(name: String, place: X11Display.Place, screen: UInt32) throws {
        let display = try X11Display(name)
        #expect(display.place == place)
        #expect(display.screen == screen)
    }

    @Test(
        "what names no server is said in OpenSSH's words",
        arguments: [
            ("", "Could not find ':' in DISPLAY: "),
            ("host", "Could not find ':' in DISPLAY: host"),
            (":", "Could not parse display number from DISPLAY: :"),
            ("host:x", "Could not parse display number from DISPLAY: host:x"),
            (":99999999999999999999", nil),
            (":59536", nil),
        ]
    )
    func nowhere(name: String, words: String?) {
        let words = words ?? "Could not parse display number from DISPLAY: \(name)"
        #expect(throws: X11DisplayUnknown(words: words)) { try X11Display(name) }
    }

    @Test(
        "characters a shell would look at are not shown to xauth",
        arguments: [
            (":0.0", true), ("unix:0", true), ("/private/tmp/x-y_z:0", true), ("", true),
            (":0;true", false), ("$(x):0", false), (":0 ", false), ("ä:0", false),
        ]
    )
    func allowed(name: String, isAllowed: Bool) {
        #expect(X11Display.isAllowed(name) == isAllowed)
    }

    @Test("xauth is asked for localhost's displays under their socket")
    func forXauth() throws {
        #expect(try X11Display("localhost:10.0").nameForXauth == "unix:10.0")
        #expect(try X11Display(":10.0").nameForXauth == ":10.0")
    }
}

struct X11CookieTests {
    @Test(
        "the first line of xauth's list has the cookie",
        arguments: [
            ("h/unix:0  MIT-MAGIC-COOKIE-1  00ff\nother:1 A 11\n", X11Cookie.usualName, [0, 255]),
            ("h:0\tMIT-MAGIC-COOKIE-1\tABcd", X11Cookie.usualName, [0xab, 0xcd]),
            ("h:0 XDM-AUTHORIZATION-1 012", "XDM-AUTHORIZATION-1", [1]),
        ] as [(String, String, [UInt8])]
    )
    func listed(output: String, name: String, data: [UInt8]) {
        #expect(X11Cookie(listed: Array(output.utf8)) == X11Cookie(name: name, data: data))
    }

    @Test(
        "what is no list has no cookie",
        arguments: ["", "\n", "h:0", "h:0 P", "h:0 P zz", "h:0 P 1", "\nh:0 P 00"]
    )
    func notListed(output: String) {
        #expect(X11Cookie(listed: Array(output.utf8)) == nil)
    }

    @Test("a made up cookie is as long as asked for, and another one each time")
    func random() {
        let cookie = X11Cookie.random()
        #expect(cookie.data.count == 16)
        #expect(cookie.hexadecimal.utf8.count == 32)
        #expect(cookie != X11Cookie.random())
        #expect(X11Cookie(name: "", data: [0, 0x0a, 0xf0]).hexadecimal == "000af0")
    }
}

struct X11GreetingTests {
    private let given = X11Cookie(name: X11Cookie.usualName, data: Array(1...16))
    private let real = X11Cookie(name: X11Cookie.usualName, data: Array(101...116))

    /// An X client's first message.
    private func message(
        _ data: [UInt8],
        name: String = X11Cookie.usualName,
        isBigEndian: Bool = false
    ) -> [UInt8] {
        let number = { (value: Int) -> [UInt8] in
            let bytes = [UInt8(value >> 8), UInt8(value & 255)]
            return isBigEndian ? bytes : bytes.reversed()
        }
        let pad = { (bytes: [UInt8]) in
            bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        }
        return [UInt8(ascii: isBigEndian ? "B" : "l"), 0] + number(11) + number(0)
            + number(name.utf8.count) + number(data.count) + [0, 0]
            + pad(Array(name.utf8)) + pad(data)
    }

    @Test("the made up cookie is replaced in both byte orders", arguments: [true, false])
    func replaces(isBigEndian: Bool) {
        var greeting = X11Greeting(given: given, real: real)
        let outcome = greeting.take(message(given.data, isBigEndian: isBigEndian))
        #expect(outcome == .passed(message(real.data, isBigEndian: isBigEndian)))
    }

    @Test("a message that comes in two pieces passes whole, wherever it is cut")
    func cuts() {
        let whole = message(given.data) + [1, 2, 3]
        for cut in 0..<(whole.count - 3) {
            var greeting = X11Greeting(given: given, real: real)
            #expect(greeting.take(whole[..<cut]) == .incomplete)
            #expect(greeting.take(whole[cut...]) == .passed(message(real.data) + [1, 2, 3]))
        }
    }

    @Test("a message that comes byte by byte passes at its last byte")
    func drips() {
        var greeting = X11Greeting(given: given, real: real)
        let whole = message(given.data)
        for byte in whole.dropLast() { #expect(greeting.take([byte]) == .incomplete) }
        #expect(greeting.take(whole.suffix(1)) == .passed(message(real.data)))
    }

    @Test("nobody gets in with anything else")
    func refuses() {
        let almost = Array(given.data.dropLast()) + [0]
        let wrong = [
            message(real.data), message(almost), message([]), message(given.data + [0]),
            message(Array(given.data.dropLast())), message(given.data, name: ""),
            message([], name: ""),
            message(given.data, name: "MIT-MAGIC-COOKIE-2"), [0] + message(given.data),
        ]
        for bytes in wrong {
            var greeting = X11Greeting(given: given, real: real)
            guard case .refused = greeting.take(bytes) else {
                Issue.record("let in with \(bytes)")
                continue
            }
        }
    }

    @Test("no bytes at all trap it or let anybody in")
    func fuzz() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = seed
        let next = { (limit: Int) -> Int in
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % limit
        }
        for _ in 0..<5_000 {
            var bytes = message(given.data)
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
            var greeting = X11Greeting(given: given, real: real)
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(1 + next(20))
                rest = rest.dropFirst(piece.count)
                let outcome = greeting.take(piece)
                if outcome == .incomplete { continue }
                if case .passed(let passed) = outcome {
                    // Only bytes that nobody looks at may have been changed.
                    let dataStart = bytes.count - given.data.count
                    let isShown = bytes[dataStart...].elementsEqual(given.data)
                    #expect(isShown && passed.count <= bytes.count, "seed \(seed)")
                }
                break
            }
        }
    }
}
