import SSH
import SSHConfig
import TestSupport
import Testing

@testable import Client

/// The messages of a control socket, byte for byte as PROTOCOL.mux has them.
struct MuxMessageTests {
    static let session: MuxSession = {
        var session = MuxSession()
        session.wantsTerminal = true
        session.isSubsystem = true
        session.escape = 0x7e
        session.term = "xt"
        session.command = [0x6c, 0xff]
        session.environment = ["A=b", ""]
        return session
    }()
    static let forward = MuxForward(
        kind: 2,
        listenHost: "",
        listenPort: 8080,
        connectHost: "/s",
        connectPort: MuxForward.path
    )

    static let requests: [(String, MuxRequest)] = [
        ("00000001 00000004", .hello(MuxHello())),
        (
            "00000001 00000004 00000001 61 00000002 6263",
            .hello(MuxHello(extensions: [.init(name: "a", value: [0x62, 0x63])]))
        ),
        (
            """
            10000002 00000007 00000000 00000001 00000000 00000000 00000001 0000007e \
            00000002 7874 00000002 6cff 00000003 413d62 00000000
            """,
            .newSession(id: 7, session)
        ),
        ("10000004 00000000", .aliveCheck(id: 0)),
        ("10000005 ffffffff", .terminate(id: .max)),
        (
            "10000006 00000001 00000002 00000000 00001f90 00000002 2f73 fffffffe",
            .openForward(id: 1, forward)
        ),
        (
            "10000007 00000001 00000002 00000000 00001f90 00000002 2f73 fffffffe",
            .closeForward(id: 1, forward)
        ),
        (
            "10000008 00000003 00000000 00000001 68 00000016",
            .newStdioForward(id: 3, host: "h", port: 22)
        ),
        ("10000009 00000004", .stopListening(id: 4)),
        ("1000000f 00000005", .proxy(id: 5)),
        ("10000003 00000006", .unknown(id: 6, type: 0x1000_0003)),
    ]

    static let replies: [(String, MuxReply)] = [
        ("00000001 00000004", .hello(MuxHello())),
        ("80000001 00000002", .ok(id: 2)),
        ("80000002 00000002 00000002 6e6f", .permissionDenied(id: 2, reason: "no")),
        ("80000003 00000002 00000000", .failure(id: 2, reason: "")),
        ("80000004 00000009 000000ff", .exitMessage(session: 9, status: 255)),
        ("80000005 00000002 0000abcd", .alive(id: 2, pid: 0xabcd)),
        ("80000006 00000002 00000009", .sessionOpened(id: 2, session: 9)),
        ("80000007 00000002 00001f90", .remotePort(id: 2, port: 8080)),
        ("80000008 00000009", .ttyAllocationFailed(session: 9)),
        ("8000000f 00000002", .proxyGranted(id: 2)),
        ("00000002", .unknown(type: 2)),
    ]

    @Test("each request is read and written", arguments: requests)
    func request(hex: String, request: MuxRequest) throws {
        #expect(try MuxRequest(bytes(hex)) == request)
        #expect(request.body == bytes(hex))
    }

    @Test("each reply is read and written", arguments: replies)
    func reply(hex: String, reply: MuxReply) throws {
        #expect(try MuxReply(bytes(hex)) == reply)
        #expect(reply.body == bytes(hex))
    }

    @Test("every type of message has a row")
    func completeness() {
        let rows = (Self.requests.map(\.0) + Self.replies.map(\.0)).map { bytes($0).prefix(4) }
        for number in MuxNumber.allCases {
            var writer = WireWriter()
            writer.number(number.rawValue)
            #expect(rows.contains { $0.elementsEqual(writer.bytes) }, "\(number)")
        }
    }

    @Test("what is cut short is refused", arguments: requests)
    func cutRequest(hex: String, request: MuxRequest) {
        for count in 0..<bytes(hex).count {
            // A list may end anywhere between two of its entries.
            guard let read = try? MuxRequest(bytes(hex).prefix(count)) else { continue }
            #expect(bytes(hex).starts(with: read.body))
        }
    }

    @Test("a port that is none is refused")
    func port() {
        let hex = "10000006 00000001 00000001 00000000 00010000 00000001 68 00000001"
        #expect(throws: MuxMalformed(what: "forwarding")) { try MuxRequest(bytes(hex)) }
    }

    @Test("whatever comes is read or refused, and reads the same again")
    func fuzz() {
        let seed: UInt64 = 0x6d75_7834
        var random = Seeded(seed)
        for round in 0..<20_000 {
            var body = bytes(
                (Self.requests.map(\.0) + Self.replies.map(\.0)).randomElement(using: &random)!
            )
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let index = Int.random(in: 0..<body.count, using: &random)
                body[index] = UInt8.random(in: 0...255, using: &random)
            }
            body = Array(body.prefix(Int.random(in: 0...body.count, using: &random)))
            if let request = try? MuxRequest(body) {
                #expect(try! MuxRequest(request.body) == request, "seed \(seed) round \(round)")
            }
            if let reply = try? MuxReply(body) {
                #expect(try! MuxReply(reply.body) == reply, "seed \(seed) round \(round)")
            }
        }
    }
}

/// Messages out of bytes, never one byte too many.
struct MuxFramingTests {
    @Test("messages come out whole, whatever the pieces are", arguments: 1...13)
    func drip(size: Int) throws {
        let bodies = MuxMessageTests.requests.map(\.1.body)
        var rest = bodies.flatMap(MuxFraming.encode)[...]
        var framing = MuxFraming()
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            let count = min(size, framing.missing, rest.count)
            if let body = try framing.take(rest.prefix(count)) { messages.append(body) }
            rest = rest.dropFirst(count)
        }
        #expect(messages == bodies)
        #expect(framing.missing == 4)
    }

    @Test("a length that cannot be is refused", arguments: [0, 3, 256 * 1024 + 1, 0xffff_ffff])
    func length(length: UInt32) {
        var writer = WireWriter()
        writer.number(length)
        var framing = MuxFraming()
        #expect(throws: MuxMalformed.self) { try framing.take(writer.bytes) }
    }
}

/// Forwardings between configuration and protocol.
struct MuxForwardTests {
    static let rows: [(Forward, Bool, MuxForward)] = [
        (
            Forward(
                listener: .tcp(host: nil, port: 80),
                destination: .tcp(host: "h", port: 22)
            ),
            false,
            MuxForward(kind: 1, listenHost: "", listenPort: 80, connectHost: "h", connectPort: 22)
        ),
        (
            Forward(listener: .unix(path: "/a"), destination: .unix(path: "/b")),
            true,
            MuxForward(
                kind: 2,
                listenHost: "/a",
                listenPort: MuxForward.path,
                connectHost: "/b",
                connectPort: MuxForward.path
            )
        ),
        (
            Forward(listener: .tcp(host: "*", port: 1080), destination: .socks),
            false,
            MuxForward(
                kind: 3,
                listenHost: "*",
                listenPort: 1080,
                connectHost: "socks",
                connectPort: 0
            )
        ),
        (
            Forward(listener: .tcp(host: nil, port: 0), destination: .socks),
            true,
            MuxForward(kind: 2, listenHost: "", listenPort: 0, connectHost: "socks", connectPort: 0)
        ),
    ]

    @Test("a forwarding is the same on both sides", arguments: rows)
    func sameOnBothSides(forward: Forward, isRemote: Bool, message: MuxForward) {
        #expect(MuxForward(forward, isRemote: isRemote) == message)
        #expect(message.forward == forward)
    }

    @Test(
        "a forwarding that makes no sense is none",
        arguments: [
            MuxForward(kind: 4, listenHost: "", listenPort: 1, connectHost: "h", connectPort: 1),
            MuxForward(kind: 1, listenHost: "", listenPort: 1, connectHost: "h", connectPort: 0),
            MuxForward(kind: 1, listenHost: "", listenPort: 1, connectHost: "", connectPort: 1),
            MuxForward(
                kind: 3,
                listenHost: "/s",
                listenPort: MuxForward.path,
                connectHost: "",
                connectPort: 0
            ),
        ]
    )
    func nonsense(message: MuxForward) {
        #expect(message.forward == nil)
    }
}
