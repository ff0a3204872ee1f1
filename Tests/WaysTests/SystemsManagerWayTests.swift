import AWS
import Faults
import JSONText
import NIOHTTP1
import Synchronization
import Testing

@testable import Posix
@testable import Ways

@Suite(.serialized)
struct SystemsManagerWayTests {
    let told = Told()
    let poller: Poller
    private let kept = Kept()

    init() throws { poller = Poller(signals: try Signals()) }

    private struct Rig {
        let way: SystemsManagerWay
        let server: TunnelServer
        let agent: SessionAgent
        let caller: ScriptedCaller
    }

    private func rig(
        _ manner: AgentManner = AgentManner(),
        answer: @escaping @Sendable (HTTPRequestHead) -> TunnelServer.Answer = { _ in .agree },
        stream: String? = nil,
        api: ScriptedCaller.JSONAnswer? = nil,
        opening: Duration = .seconds(30)
    ) throws -> Rig {
        let agent = SessionAgent(manner)
        let server = try TunnelServer(.init(answer: answer)) { AgentPeer(agent) }
        kept.servers.append(server)
        let port = server.port
        let url = stream ?? "ws://127.0.0.1:\(port)/v1/data-channel/s-1?role=publish_subscribe"
        var access = Access()
        access.endpoints[.ssmMessages] = "http://127.0.0.1:\(port)"
        let caller = ScriptedCaller(access: access) { target, body in
            if let answer = api?(target, body) {
                guard case .success = answer else {
                    return answer
                }
            }
            return .success(
                .object([
                    "SessionId": "s-1", "TokenValue": JSON(.string("token of \(target)")),
                    "StreamUrl": JSON(.string(url)),
                ])
            )
        }
        var parameters = SystemsManagerParameters(instance: "i-0123456789abcdef0")
        parameters.opening = opening
        let way = SystemsManagerWay(parameters, trace: told.trace) { caller }
        return Rig(way: way, server: server, agent: agent, caller: caller)
    }

    private func failure(_ way: SystemsManagerWay) throws -> WayError? {
        do {
            _ = try poller.open(way, until: readClock() + .seconds(20))
            return nil
        } catch let error as WayError {
            return error
        }
    }

    /// Passes bytes both ways over an agent that sends them back, and holds them against what was
    /// sent.
    private func exchange(_ rig: Rig, _ size: Int, within limit: Duration = .seconds(120)) throws {
        guard let socket = try poller.open(rig.way, until: readClock() + .seconds(20)) else {
            Issue.record("not open: \(told.lines)")
            return
        }
        #expect(
            try readText(socket.number, SessionAgent.greeting.utf8.count) == SessionAgent.greeting
        )
        let passed = try pass(socket.number, rig.way, up: size, down: size, within: limit)
        #expect(passed.wrongAt == nil, "\(told.lines)")
        #expect(passed.sent == size && passed.received == size, "\(passed) \(told.lines)")
        let facts = rig.agent.facts.withLock { $0 }
        print(
            "ssm: \(Double(size) / 1_048_576) MB each way in \(passed.time), "
                + "\(facts.messagesIn) messages up, \(facts.messagesOut) down"
        )
    }

    @Test func `a session carries bytes both ways`() throws {
        let rig = try rig()
        try exchange(rig, 1 << 20)
        let asked = try #require(rig.server.asked.first)
        #expect(asked.uri == "/v1/data-channel/s-1?role=publish_subscribe")
        let authorization = asked.headers.first(name: "Authorization") ?? ""
        #expect(authorization.contains("/eu-central-1/ssmmessages/aws4_request"))
        #expect(asked.headers.first(name: "X-Amz-Security-Token") == "tok/en+=")
        let facts = rig.agent.facts.withLock { $0 }
        #expect(facts.tokens == ["token of AmazonSSM.StartSession"])
        #expect(facts.clientVersions == ["1.2.896.0"])
        rig.way.end()
        #expect(rig.agent.facts.withLock { $0.hasBeenTerminated })
        // Whether the agent's own word of the end comes before the API is asked is a matter of time.
        let calls = rig.caller.calls.filter { $0 != "AmazonSSM.TerminateSession" }
        #expect(calls == ["AmazonSSM.StartSession"])
    }

    @Test func `megabytes pass both ways`() throws {
        var manner = AgentManner()
        manner.payload = 8192
        try exchange(try rig(manner), 8 << 20)
    }

    @Test func `megabytes come as fast as they are sent`() throws {
        var manner = AgentManner()
        manner.work = .source(8 << 20)
        manner.payload = 8192
        let rig = try rig(manner)
        guard let socket = try poller.open(rig.way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        _ = try readText(socket.number, SessionAgent.greeting.utf8.count)
        let passed = try pass(socket.number, rig.way, up: 0, down: 8 << 20)
        #expect(passed.wrongAt == nil && passed.received == 8 << 20)
        print("ssm: 8 MB down in \(passed.time)")
    }

    @Test(arguments: [UInt64(1)])
    func `50 cuts under load lose and double nothing`(seed: UInt64) throws {
        var manner = AgentManner()
        manner.cuts = 50
        manner.seed = seed
        let rig = try rig(manner)
        try exchange(rig, 4 << 20)
        let facts = rig.agent.facts.withLock { $0 }
        #expect(facts.websockets > 50, "seed \(seed)")
        #expect(Set(facts.tokens.dropFirst()) == ["token of AmazonSSM.ResumeSession"])
    }

    @Test(arguments: [UInt64(1), 2])
    func `an upload goes on however often the websocket breaks`(seed: UInt64) throws {
        var manner = AgentManner()
        manner.work = .sink(3 << 20)
        manner.cuts = 150
        manner.messagesBetweenCuts = 4...30
        manner.seed = seed
        let rig = try rig(manner)
        guard let socket = try poller.open(rig.way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        _ = try readText(socket.number, SessionAgent.greeting.utf8.count)
        let start = readClock()
        _ = try pass(socket.number, rig.way, up: 3 << 20, down: 0, within: .seconds(200))
        var word = ""
        while word.isEmpty, readClock() < start + .seconds(200) {
            word = try readText(socket.number, 6)
        }
        #expect(word == "right\n", "seed \(seed)")
        let time = readClock() - start
        let count = rig.agent.facts.withLock { $0.websockets }
        print("ssm: 3 MB up in \(time) over \(count) websockets")
        #expect(count > 60)
        // A pause that grows would take some seconds for each of them.
        #expect(time < .seconds(200), "\(time)")
    }

    @Test func `the service's Bye is a resumption`() throws {
        var manner = AgentManner()
        manner.cuts = 3
        manner.saysBye = true
        try exchange(try rig(manner), 1 << 20)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `losses, doubles and late messages change nothing`(seed: UInt64) throws {
        var manner = AgentManner()
        manner.unreliability = 25
        manner.cuts = 5
        manner.seed = seed
        try exchange(try rig(manner), 256 << 10)
    }

    @Test func `what the agent drops at first is sent again`() throws {
        var manner = AgentManner()
        manner.dropsFirst = 6
        let rig = try rig(manner)
        let start = readClock()
        try exchange(rig, 64 << 10)
        #expect(readClock() - start < .seconds(8))
    }

    @Test func `a port that refuses is told with the service's words`() throws {
        var manner = AgentManner()
        manner.work = .refuse("Connection to destination port failed, check SSM Agent logs.")
        let error = try #require(try failure(try rig(manner).way))
        #expect(error.outcome == .refused)
        #expect(error.summary.contains("Connection to destination port failed"))
        #expect(error.hint != nil)
    }

    @Test func `an instance that is not managed is told with what it needs`() throws {
        let rig = try rig(api: { _, _ in
            .failure(
                ServiceError(
                    action: "ssm:StartSession",
                    code: "TargetNotConnected",
                    message: "i-0123456789abcdef0 is not connected.",
                    status: 400
                )
            )
        })
        let error = try #require(try failure(rig.way))
        #expect(error.outcome == .notOffered)
        #expect(error.hint?.text.contains("SSM agent") == true)
    }

    @Test func `where the document of SSH is denied, that of forwarding serves`() throws {
        let rig = try rig(api: { target, body in
            guard body["DocumentName"]?.string == "AWS-StartSSHSession" else {
                return .success(.object(["SessionId": "s"]))
            }
            return .failure(
                ServiceError(
                    action: "ssm:StartSession",
                    code: "AccessDeniedException",
                    message: "not authorized on document/AWS-StartSSHSession",
                    status: 400
                )
            )
        })
        try exchange(rig, 64 << 10)
        #expect(rig.agent.facts.withLock { $0.clientVersions } == ["1.1.61.0"])
    }

    @Test func `an agent that is not there is given up`() throws {
        var manner = AgentManner()
        manner.work = .nobody
        let rig = try rig(manner, opening: .milliseconds(300))
        let error = try #require(try failure(rig.way))
        #expect(error.outcome == .timedOut)
    }

    @Test func `an upgrade that is refused is told`() throws {
        let rig = try rig(
            answer: { _ in .refuse(status: 403, body: #"{"message":"Forbidden"}"#) }
        )
        let error = try #require(try failure(rig.way))
        #expect(error.outcome == .denied)
        #expect(error.summary.contains("Forbidden"))
        #expect(rig.caller.calls.last == "AmazonSSM.TerminateSession")
    }

    @Test func `a token is shown to nobody but AWS`() throws {
        let rig = try rig(stream: "wss://ssmmessages.evil.example/v1/data-channel/s")
        let error = try #require(try failure(rig.way))
        #expect(error.summary.contains("not AWS's"))
    }

    @Test(arguments: [
        ("wss://ssmmessages.eu-central-1.amazonaws.com/v1/x?role=a", true),
        ("wss://ssmmessages-fips.us-gov-west-1.amazonaws.com/v1/x", true),
        ("wss://ssmmessages.cn-north-1.amazonaws.com.cn/v1/x", true),
        ("ws://ssmmessages.eu-central-1.amazonaws.com/v1/x", false),
        ("wss://ssmmessages.eu-central-1.amazonaws.com.evil.example/v1/x", false),
        ("wss://ec2.eu-central-1.amazonaws.com/v1/x", false),
        ("https://ssmmessages.eu-central-1.amazonaws.com/v1/x", false),
        ("wss://lab.example:8443/v1/x", true), ("ws://lab.example/v1/x", false), ("", false),
    ])
    func `addresses of data channels are AWS's or the user's`(text: String, isTaken: Bool) {
        let url = StreamAddress.checked(text, endpoint: "https://lab.example")
        #expect((url != nil) == isTaken)
    }

    @Test func `a session that is gone cannot be taken up`() throws {
        var manner = AgentManner()
        manner.cuts = 1
        manner.messagesBetweenCuts = 20...20
        let rig = try rig(
            manner,
            api: { target, _ in
                if target == "AmazonSSM.StartSession" {
                    return .success(.object(["SessionId": "s"]))
                }
                return .failure(
                    ServiceError(
                        action: target,
                        code: "DoesNotExistException",
                        message: "",
                        status: 400
                    )
                )
            }
        )
        guard let socket = try poller.open(rig.way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        _ = try readText(socket.number, SessionAgent.greeting.utf8.count)
        let passed = try pass(
            socket.number,
            rig.way,
            up: 1 << 20,
            down: 1 << 20,
            within: .seconds(10)
        )
        #expect(passed.hasEnded)
        #expect(try reason(rig.way)?.outcome == .notOffered)
    }
}
