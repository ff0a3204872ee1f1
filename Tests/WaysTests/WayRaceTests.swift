import Faults
import Testing

@testable import Posix
@testable import Ways

@Suite(.serialized)
struct WayRaceTests {
    let told = Told()
    let poller: Poller

    init() throws { poller = Poller(signals: try Signals()) }

    private func lane(_ name: String, _ address: SocketAddress) -> WayRace.Lane {
        var parameters = DirectParameters(host: name, port: address.port)
        parameters.addresses = [address]
        let copy = parameters
        return WayRace.Lane(name) { Direct(copy, trace: told.trace) }
    }

    private func race(_ lanes: [WayRace.Lane]) throws -> WayRace {
        let race = WayRace(lanes, patience: .milliseconds(50), trace: told.trace)
        if try poller.open(race, until: readClock() + .seconds(20)) == nil {
            Issue.record("neither open nor failed")
        }
        return race
    }

    @Test func `the first way is alone as long as it answers in time`() throws {
        let server = try Greeter("SSH-2.0-first\r\n")
        let other = try Greeter("SSH-2.0-other\r\n")
        let race = try race([lane("first", server.address), lane("other", other.address)])
        #expect(race.winner == "first")
        #expect(race.peer == server.address)
        #expect(race.losses.isEmpty)
        #expect(try other.end() == 0)
        #expect(try server.end() == 1)
    }

    @Test func `a way that does not connect in time is joined, and the one that answers wins`()
        throws
    {
        let silent = try Blackhole("127.0.0.1")
        let server = try Greeter("SSH-2.0-other\r\n")
        let race = try race([lane("first", silent.address), lane("other", server.address)])
        #expect(race.winner == "other")
        #expect(race.peer == server.address)
    }

    @Test func `a way that connects and says nothing is joined, too`() throws {
        let silent = try Greeter("")
        let server = try Greeter("SSH-2.0-other\r\n")
        let race = try race([lane("first", silent.address), lane("other", server.address)])
        #expect(race.winner == "other")
    }

    @Test func `a way that fails is followed at once, and what it said is kept`() throws {
        let refusing = try Loopback.refusing("127.0.0.1")
        let server = try Greeter("SSH-2.0-other\r\n")
        let lanes = [lane("first", refusing), lane("other", server.address)]
        let race = WayRace(lanes, patience: .seconds(3600), trace: told.trace)
        if try poller.open(race, until: readClock() + .seconds(20)) == nil {
            Issue.record("nobody won")
        }
        #expect(race.winner == "other")
        #expect(race.losses.map(\.name) == ["first"])
        #expect(race.losses.first?.error.outcome == .refused)
    }

    @Test func `a connection that is closed without a word counts as a failure`() throws {
        let closing = try Greeter(nil)
        let server = try Greeter("SSH-2.0-other\r\n")
        let race = try race([lane("first", closing.address), lane("other", server.address)])
        #expect(race.winner == "other")
        #expect(race.losses.first?.error.outcome == .closed)
    }

    @Test func `when all have failed the first one's error is thrown, with how the others ended`()
        throws
    {
        let refusing = try Loopback.refusing("127.0.0.1")
        let lanes = [lane("first", refusing), lane("other", try Loopback.refusing("127.0.0.1"))]
        let error = #expect(throws: WayError.self) { _ = try race(lanes) }
        #expect(error?.outcome == .refused)
        #expect(
            error?.words == ["ssh: connect to host first port \(refusing.port): Connection refused"]
        )
        #expect(error?.others.map(\.name) == ["other"])
        #expect(error?.others.first?.error.outcome == .refused)
    }

    @Test func `the last one that is connected is handed over, however silent it is`() throws {
        let refusing = try Loopback.refusing("127.0.0.1")
        let silent = try Greeter("")
        let race = try race([lane("first", refusing), lane("other", silent.address)])
        #expect(race.winner == "other")
    }
}
