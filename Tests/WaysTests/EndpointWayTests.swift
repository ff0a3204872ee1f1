import AWS
import Faults
import NIOHTTP1
import Synchronization
import Testing

@testable import Posix
@testable import Ways

@Suite(.serialized)
struct EndpointWayTests {
    let told = Told()
    let poller: Poller
    private let kept = Kept()
    private let certificate: TestCertificate

    init() throws {
        poller = Poller(signals: try Signals())
        certificate = try TestCertificate()
    }

    private func way(
        _ script: EndpointScript,
        _ answer: TunnelServer.Answer = .agree,
        trusting other: TestCertificate? = nil,
        access: Access = Access(),
        _ change: (inout EndpointParameters) -> Void = { _ in }
    ) throws -> (way: EndpointWay, server: TunnelServer, caller: ScriptedCaller) {
        let manner = TunnelServer.Manner(tls: try certificate.server(), answer: { _ in answer })
        let server = try TunnelServer(manner) { EndpointPeer(script) }
        kept.servers.append(server)
        var access = access
        access.trustedCertificates = (other ?? certificate).file
        let caller = ScriptedCaller(
            access: access,
            endpoints: [
                InstanceConnectEndpoint(id: "eice-1", name: "localhost", fipsName: nil)
            ]
        )
        var parameters = EndpointParameters(
            vpc: "vpc-1",
            subnet: "subnet-1",
            zone: nil,
            privateAddress: "10.0.1.23"
        )
        parameters.endpointPort = server.port
        change(&parameters)
        let way = EndpointWay(parameters, trace: told.trace) { caller }
        return (way, server, caller)
    }

    private func failure(_ way: EndpointWay) throws -> WayError? {
        do {
            _ = try poller.open(way, until: readClock() + .seconds(20))
            return nil
        } catch let error as WayError {
            return error
        }
    }

    @Test func `bytes pass both ways as they are`() throws {
        let (way, server, caller) = try way(.echo)
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        #expect(
            try readText(socket.number, EndpointPeer.greeting.utf8.count) == EndpointPeer.greeting
        )
        let size = 8 << 20
        let passed = try pass(socket.number, way, up: size, down: size)
        #expect(passed.wrongAt == nil)
        #expect(passed.sent == size && passed.received == size)
        print("endpoint: \(size >> 20) MB each way in \(passed.time)")
        let asked = try #require(server.asked.first)
        #expect(asked.uri.hasPrefix("/openTunnel?instanceConnectEndpointId=eice-1&remotePort=22&"))
        #expect(asked.uri.contains("privateIpAddress=10.0.1.23"))
        #expect(asked.uri.contains("X-Amz-Expires=60"))
        #expect(asked.uri.contains("X-Amz-Security-Token=tok%2Fen%2B%3D"))
        #expect(caller.calls == ["DescribeInstanceConnectEndpoints"])
        way.end()
    }

    @Test func `all that was sent before the end arrives, and then the end`() throws {
        let size = 8 << 20
        let (way, _, _) = try way(.source(size, frame: 50_000))
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        _ = try readText(socket.number, EndpointPeer.greeting.utf8.count)
        let passed = try pass(socket.number, way, up: 0, down: size, isEndAwaited: true)
        #expect(passed.received == size && passed.wrongAt == nil && passed.hasEnded)
    }

    @Test func `what nobody takes is not read, and costs no memory`() throws {
        let (way, _, _) = try way(.source(256 << 20, frame: 60_000))
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        let before = try memory()
        try waitFor(socket.number, .hangup, until: readClock() + .seconds(1))
        #expect(try memory() - before < 32 << 20)
        way.end()
    }

    @Test func `a half that is closed leaves the other open`() throws {
        let (way, _, _) = try way(.source(4 << 20, frame: 10_000))
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        try shutDownWriting(socket.number)
        _ = try readText(socket.number, EndpointPeer.greeting.utf8.count)
        let passed = try pass(socket.number, way, up: 0, down: 4 << 20)
        #expect(passed.received == 4 << 20 && passed.wrongAt == nil)
    }

    @Test func `an instance that cannot be reached is told with what to look at`() throws {
        let (way, _, _) = try way(.close(1011, "Unable to connect to target"))
        let error = try #require(try failure(way))
        #expect(error.outcome == .unreachable)
        #expect(error.layer == .network)
        #expect(error.summary.contains("Unable to connect to target: 10.0.1.23 port 22"))
        #expect(error.hint?.text.contains("security group") == true)
    }

    @Test func `an answer of HTTP is told with its code and words`() throws {
        let body = #"{"ErrorCode":"InvalidParameter","Message":"Specify either 22 or 3389."}"#
        let (way, _, _) = try way(.echo, .refuse(status: 400, body: body))
        let error = try #require(try failure(way))
        #expect(error.outcome == .serviceFailed)
        #expect(error.summary == "endpoint eice-1: InvalidParameter: Specify either 22 or 3389.")
        let (denied, _, _) = try self.way(.echo, .refuse(status: 403, body: "no"))
        #expect(try failure(denied)?.outcome == .denied)
    }

    @Test func `texts are errors`() throws {
        let (way, _, _) = try way(.text("no route"))
        #expect(try failure(way)?.summary.contains("no route") == true)
    }

    @Test(arguments: [
        [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0x82, 0x7f, 0, 0, 0, 0, 0x80, 0, 0, 0],
        [0x80, 0x01, 0x41], [0xf2, 0x01, 0x41],
    ])
    func `what is no frame ends it`(bytes: [UInt8]) throws {
        let (way, _, _) = try way(.garbage(bytes))
        #expect(try failure(way) != nil)
    }

    @Test func `a server that others vouch for is not believed`() throws {
        let (way, _, _) = try way(.echo, trusting: try TestCertificate())
        let error = try #require(try failure(way))
        #expect(error.summary == "endpoint eice-1: TLS: the server's certificate is not trusted")
        #expect(error.hint?.text.contains("AWS_CA_BUNDLE") == true)
    }

    @Test func `a VPC without endpoints, and one without FIPS, are told so`() throws {
        let parameters = EndpointParameters(
            vpc: "vpc-1",
            subnet: "subnet-1",
            zone: nil,
            privateAddress: "10.0.1.23"
        )
        let none = EndpointWay(parameters, trace: told.trace) { ScriptedCaller() }
        let error = try #require(try failure(none))
        #expect(error.outcome == .notOffered)
        #expect(error.summary == "vpc-1 has no EC2 Instance Connect Endpoint")
        var access = Access()
        access.usesFIPS = true
        let (way, _, _) = try way(.echo, access: access)
        #expect(try failure(way)?.summary == "endpoint eice-1 has no FIPS name")
    }

    @Test func `an endpoint that was remembered and is gone is looked for once more`() throws {
        let manner = TunnelServer.Manner(tls: try certificate.server(), answer: { _ in .agree })
        let server = try TunnelServer(manner) { EndpointPeer(.echo) }
        kept.servers.append(server)
        var access = Access()
        access.trustedCertificates = certificate.file
        let caller = ScriptedCaller(access: access)
        var parameters = EndpointParameters(
            vpc: "vpc-1",
            subnet: nil,
            zone: nil,
            privateAddress: "10.0.1.23"
        )
        parameters.endpointPort = server.port
        let asked = Mutex<[Bool]>([])
        let finder: EndpointWay.Finder = { isFresh throws(ServiceError) in
            asked.withLock { $0.append(isFresh) }
            let name = isFresh ? "localhost" : "gone.invalid"
            return ([InstanceConnectEndpoint(id: "eice-1", name: name)], !isFresh)
        }
        let way = EndpointWay(parameters, trace: told.trace, endpoints: finder) { caller }
        #expect(try poller.open(way, until: readClock() + .seconds(20)) != nil, "\(told.lines)")
        #expect(asked.withLock { $0 } == [false, true])
        way.end()

        // One that is not remembered, or is new, is not.
        asked.withLock { $0 = [] }
        let hopeless: EndpointWay.Finder = { isFresh throws(ServiceError) in
            asked.withLock { $0.append(isFresh) }
            return ([InstanceConnectEndpoint(id: "eice-1", name: "gone.invalid")], !isFresh)
        }
        let other = EndpointWay(parameters, trace: told.trace, endpoints: hopeless) { caller }
        #expect(try failure(other) != nil)
        #expect(asked.withLock { $0 } == [false, true])
    }

    @Test func `a server that answers no pings is given up`() throws {
        let (way, _, _) = try way(.silence) { parameters in
            parameters.timing.pinging = .milliseconds(50)
        }
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)) else {
            Issue.record("not open")
            return
        }
        _ = try readText(socket.number, EndpointPeer.greeting.utf8.count)
        let passed = try pass(socket.number, way, up: 0, down: 1, within: .seconds(10))
        #expect(passed.hasEnded)
        #expect(try reason(way)?.outcome == .timedOut)
    }

    @Test func `an end without a beginning is a failure`() throws {
        let (way, _, _) = try way(.close(1000, ""))
        #expect(try failure(way) != nil)
        let (greeted, _, _) = try self.way(.greetAndClose)
        #expect(try failure(greeted) == nil)
        #expect(greeted.broken == nil)
    }

    @Test(
        arguments: [
            ("subnet-2", "c", "eice-2"), ("subnet-9", "b", "eice-2"), ("subnet-9", "c", "eice-1"),
            (nil, nil, "eice-1"),
        ] as [(String?, String?, String)]
    )
    func `the nearest endpoint is taken`(subnet: String?, zone: String?, id: String) {
        let endpoints = [
            InstanceConnectEndpoint(id: "eice-3", name: "x", subnet: "subnet-3", zone: "b"),
            InstanceConnectEndpoint(id: "eice-2", name: "x", subnet: "subnet-2", zone: "b"),
            InstanceConnectEndpoint(id: "eice-1", name: "x", subnet: "subnet-1", zone: "a"),
        ]
        #expect(EndpointChoice.best(endpoints, subnet: subnet, zone: zone)?.id == id)
        #expect(EndpointChoice.best([], subnet: subnet, zone: zone) == nil)
    }
}
