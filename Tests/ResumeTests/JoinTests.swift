import TestSupport
import Testing

@testable import Resume

@Suite struct JoinTests {
    private func listing(_ flags: UInt8 = 1 | 2) -> [UInt8] {
        let ids = (0..<32).map { UInt8($0) }
        return frame(
            0x06,
            ids + [2, flags] + wire(8, 1_700_000_000) + wire(4, 61) + wire(4, 4711)
                + wire("make all")
        )
    }

    private func list(_ bytes: [UInt8], step: Int) throws -> ResumeList {
        var list = ResumeList()
        for start in stride(from: 0, to: bytes.count, by: step) {
            let part = Array(bytes[start..<min(start + step, bytes.count)])
            try list.receive(part.span)
        }
        return list
    }

    @Test("A host tells its sessions")
    func list() throws {
        let answer = Array("motd\nEC2SH-RESUME 1\n".utf8) + listing() + listing(4 | 8)
        for step in [1, 10, 1000] {
            let list = try list(answer + frame(0x14, [6]), step: step)
            #expect(list.isComplete && list.listings.count == 2 && list.refusal == nil)
            let first = try #require(list.listings.first)
            #expect(first.identity.description == "000102030405060708090a0b0c0d0e0f")
            #expect(first.identity.secret == (16..<32).map { UInt8($0) })
            #expect(first.kind == .command && first.command == "make all" && first.pid == 4711)
            #expect(first.hasPty && first.isAttached && !first.hasExited && !first.isLost)
            #expect(first.started == 1_700_000_000 && first.away == 61)
            let second = try #require(list.listings.last)
            #expect(!second.hasPty && !second.isAttached && second.hasExited && second.isLost)
        }
        #expect(try !list(answer, step: 100).isComplete)
        let none = try list(Array("EC2SH-RESUME none\n".utf8), step: 3)
        #expect(none.refusal?.code == .cannotStart)
        let old = Array("EC2SH-RESUME 1\n".utf8) + frame(0x04, [1] + wire(4, 1) + wire("old"))
        #expect(try list(old, step: 9).refusal?.code == .version)
        #expect(throws: ResumeError.self) {
            try list(Array("EC2SH-RESUME 1\n".utf8) + frame(0x10, wire(8, 0) + [1]), step: 50)
        }
    }

    @Test("The question is the body and one HELLO")
    func request() {
        let payload: [UInt8] = [1, 4] + Array(repeating: 0, count: 60)
        #expect(ResumeList.request == Bootstrap.body + frame(0x01, payload))
    }

    @Test("Another client takes a session over and gets what was not put down")
    func join() throws {
        var script = RemoteHalf.Script()
        script.output = Seeded(9).firstBytes(50_000)
        script.status = 4
        let host = RemoteHalf(script, seed: 1)
        let now = Talk.start
        var random = Seeded(3)
        let identity = ResumeSession.Identity(using: &random)
        var first = ResumeSession(identity, start: .init(.command), now: now)
        let firstLink = host.connect(isExec: false)
        first.attach(.socket, now: now)
        var output = try exchange(&first, firstLink, host)
        #expect((output == script.output) as Bool)
        first.notePutDown(20_000, now: now)
        first.advance(now: now + .seconds(1))
        try exchange(&first, firstLink, host)

        let bytes = Array(
            frame(
                0x06,
                identity.id + identity.secret + [2, 0] + wire(8, 0) + wire(4, 0)
                    + wire(4, 1) + wire("true")
            ).dropFirst(4)
        )
        var second = ResumeSession(joining: try ResumeListing(bytes), now: now)
        #expect(second.room() == 0)
        let secondLink = host.connect(isExec: true)
        second.attach(.exec, now: now)
        output = try exchange(&second, secondLink, host)
        output += try exchange(&second, secondLink, host)
        #expect((output == Array(script.output[20_000...])) as Bool)
        #expect(second.room() > 0)
        // The old client hears of it; a link it makes now is too old.
        #expect(try events(&first, firstLink) == [.superseded])
        second.lose(channelEnded: false, now: now)
        let third = host.connect(isExec: false)
        second.attach(.socket, now: now)
        second.end()
        try exchange(&second, third, host)
        try exchange(&second, third, host)
        second.leave(.done)
        try exchange(&second, third, host)
        #expect(second.isOver && host.farewell == 3 && host.violations == [])
    }

    @discardableResult
    private func exchange(
        _ session: inout ResumeSession,
        _ link: RemoteHalf.Link,
        _ host: RemoteHalf
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        for _ in 0..<3 {
            var bytes: [UInt8] = []
            while session.hasSomethingToSend(Talk.start) {
                session.take(into: &bytes, limit: bytes.count + 100_000, now: Talk.start)
            }
            host.receive(bytes, from: link)
            host.work()
            host.flush(limit: 1 << 20)
            let came = link.outgoing
            for event in try events(&session, link) {
                if case .output(let place) = event { output += came[place] }
            }
        }
        return output
    }

    private func events(
        _ session: inout ResumeSession,
        _ link: RemoteHalf.Link
    ) throws -> [ResumeSession.Event] {
        var events: [ResumeSession.Event] = []
        let bytes = link.outgoing
        link.outgoing = []
        try session.receive(bytes.span, into: &events, now: Talk.start)
        return events
    }
}
