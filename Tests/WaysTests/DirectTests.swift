import Faults
import Testing

@testable import Posix
@testable import Ways

@Suite(.serialized)
struct DirectTests {
    let told = Told()
    let poller: Poller

    init() throws { poller = Poller(signals: try Signals()) }

    /// Opens a way and says whether it reached a listener.
    private func open(_ parameters: DirectParameters) throws -> Direct {
        let way = Direct(parameters, trace: told.trace)
        let limit = readClock() + .seconds(20)
        if try poller.open(way, until: limit) == nil { Issue.record("neither open nor failed") }
        return way
    }

    private func failure(_ parameters: DirectParameters) throws -> WayError? {
        #expect(throws: WayError.self) { try open(parameters) }
    }

    private func parameters(_ addresses: [SocketAddress]) -> DirectParameters {
        var parameters = DirectParameters(host: "host", port: addresses.first?.port ?? 22)
        parameters.addresses = addresses
        return parameters
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `an address that answers is connected to`(host: String) throws {
        let listener = try Listener(host)
        let port = listener.address.port
        let way = Direct(DirectParameters(host: host, port: port), trace: told.trace)
        guard let socket = try poller.open(way, until: readClock() + .seconds(20)),
            let accepted = try listener.accept()
        else {
            Issue.record("not connected")
            return
        }
        #expect(try peerAddress(of: accepted.number) == localAddress(of: socket.number))
        #expect(way.peer == listener.address)
        if way.take() != nil { Issue.record("taken twice") }
        #expect(
            told.lines == [
                "debug1: Connecting to \(host) [\(host)] port \(port).",
                "debug1: Connection established.",
            ]
        )
    }

    @Test func `a name is looked up and the family that was asked for is used`() throws {
        let listener = try Listener("127.0.0.1")
        var parameters = DirectParameters(host: "localhost", port: listener.address.port)
        parameters.family = .ipv4
        #expect(try open(parameters).peer == listener.address)
    }

    @Test func `a refused connection has OpenSSH's words`() throws {
        let address = try Loopback.refusing("127.0.0.1")
        let error = try failure(DirectParameters(host: "127.0.0.1", port: address.port))
        #expect(error?.outcome == .refused)
        #expect(error?.layer == .network)
        #expect(
            error?.words == [
                "ssh: connect to host 127.0.0.1 port \(address.port): Connection refused"
            ]
        )
        #expect(
            told.lines.last
                == "debug1: connect to address 127.0.0.1 port \(address.port): Connection refused"
        )
    }

    @Test func `a hedged connection that is refused is not tried again at once`() throws {
        let address = try Loopback.refusing("127.0.0.1")
        var parameters = DirectParameters(host: "127.0.0.1", port: address.port)
        parameters.isHedged = true
        #expect(try failure(parameters)?.outcome == .refused)
        #expect(told.lines.filter { $0.hasPrefix("debug1: Connecting") }.count == 1)
    }

    @Test func `a hedged connection to a silent address is begun anew beside the first`() throws {
        let silent = try Blackhole("127.0.0.1")
        var parameters = DirectParameters(host: "127.0.0.1", port: silent.address.port)
        parameters.isHedged = true
        parameters.timeout = .milliseconds(700)
        #expect(try failure(parameters)?.outcome == .timedOut)
        #expect(told.lines.filter { $0.hasPrefix("debug1: Connecting") }.count > 2)
    }

    @Test func `a name that does not exist has OpenSSH's words`() throws {
        let error = try failure(DirectParameters(host: "no..such..name"))
        #expect(error?.layer == .name)
        #expect(
            error?.words?.first?.hasPrefix("ssh: Could not resolve hostname no..such..name: ")
                == true
        )
    }

    @Test func `an address that does not answer is joined by the next one`() throws {
        let blackhole = try Blackhole("::1")
        let listener = try Listener("127.0.0.1")
        let start = readClock()
        let way = try open(parameters([blackhole.address, listener.address]))
        #expect(way.peer == listener.address)
        #expect(readClock() - start >= AddressRace.stagger)
        #expect(readClock() - start < .seconds(5))
    }

    @Test func `an address that refuses is followed at once`() throws {
        let refusing = try Loopback.refusing("::1")
        let listener = try Listener("127.0.0.1")
        let given = parameters([refusing, listener.address])
        let round = ConnectionRound(
            [refusing, listener.address],
            from: .any,
            given,
            told.trace
        )
        let frozen = FrozenRound(round)
        poller.add(frozen)
        while frozen.winner == nil { try poller.turn(until: readClock() + .seconds(20)) }
        #expect(frozen.winner == listener.address)
    }

    /// A round for which no time passes, so that nothing becomes due by waiting.
    private final class FrozenRound: Source {
        let round: ConnectionRound
        let now = readClock()
        var winner: SocketAddress?
        var deadline: Instant? { nil }

        init(_ round: ConnectionRound) {
            self.round = round
            _ = round.advance(nil, now: now)
        }

        func watch(_ set: inout PollSet) { round.watch(&set) }

        func ready(_ set: PollSet, now: Instant) {
            if case .won(let connection) = round.advance(set, now: self.now) {
                winner = connection.address
            }
        }
    }

    @Test func `when all fail the system's last choice is told`() throws {
        let blackhole = try Blackhole("127.0.0.1")
        let refusing = try Loopback.refusing("::1")
        var given = parameters([blackhole.address, refusing])
        given.timeout = .milliseconds(50)
        #expect(try failure(given)?.outcome == .refused)
        given.addresses = [refusing, blackhole.address]
        #expect(try failure(given)?.outcome == .timedOut)
    }

    @Test func `an address that does not answer is given up when ConnectTimeout says so`() throws {
        let blackhole = try Blackhole("127.0.0.1")
        var given = parameters([blackhole.address])
        given.timeout = .milliseconds(30)
        let start = readClock()
        let error = try failure(given)
        #expect(readClock() - start < .seconds(5))
        #expect(error?.outcome == .timedOut)
        #expect(
            error?.words == [
                "ssh: connect to host host port \(blackhole.address.port): Connection timed out"
            ]
        )
    }

    @Test func `a further attempt is made after a second`() throws {
        var given = parameters([try Loopback.refusing("127.0.0.1")])
        given.attempts = 2
        let way = Direct(given, trace: told.trace)
        poller.add(way)
        while way.deadline == nil {
            _ = try way.progress()
            try poller.turn(until: readClock() + .seconds(20))
        }
        let deadline = try #require(way.deadline)
        #expect(deadline > readClock() + .milliseconds(500))
        way.ready(PollSet(), now: deadline)
        poller.remove(way)
        #expect(throws: WayError.self) { _ = try poller.open(way) }
        #expect(told.lines.contains("debug1: Trying again..."))
        #expect(told.lines.filter { $0.hasPrefix("debug1: Connecting to") }.count == 2)
    }

    @Test func `a connection comes from the address that was given`() throws {
        let listener = try Listener("127.0.0.1")
        var given = parameters([listener.address])
        given.bindAddress = "127.0.0.9"
        _ = try open(given)
        guard let accepted = try listener.accept() else { return }
        #expect(try peerAddress(of: accepted.number).host == "127.0.0.9")
        #expect(told.lines.contains("debug1: ssh_create_socket: bound to 127.0.0.9"))
    }

    @Test func `a connection comes from the interface that was given`() throws {
        let listener = try Listener("127.0.0.1")
        var given = parameters([listener.address])
        given.bindInterface = "lo"
        _ = try open(given)
        #expect(told.lines.contains("debug1: ssh_create_socket: bound to 127.0.0.1"))
    }

    struct Own: Sendable {
        var address: String?
        var interface: String?
        var line: String
    }

    @Test(arguments: [
        Own(
            address: "::1",
            line: "getaddrinfo: ::1: Address family for hostname not supported"
        ),
        Own(address: "192.0.2.1", line: "bind 192.0.2.1: Cannot assign requested address"),
        Own(interface: "none0", line: "getifaddrs: none0: no suitable addresses"),
    ])
    func `an address that we do not have is said and nothing is tried`(own: Own) throws {
        let listener = try Listener("127.0.0.1")
        var given = parameters([listener.address])
        given.bindAddress = own.address
        given.bindInterface = own.interface
        let error = try failure(given)
        #expect(told.lines.contains(own.line))
        #expect(error?.outcome == .local)
        #expect(
            error?.words == ["ssh: connect to host host port \(listener.address.port): failure"]
        )
    }
}
