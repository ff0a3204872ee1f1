import Foundation
import TestSupport
import Testing

@testable import Resume

/// The client against the real remote half, run by a shell and a Python of this machine.
@Suite struct HostTests {
    @Test("A command gets its input and gives output, error output and status")
    func command() throws {
        let run = HostRun(HostRun.command("cat; echo wrong >&2; exit 7"))
        run.input = Array("hello\n".utf8)
        try run.finish()
        #expect(run.failure == nil && run.refusal == nil)
        #expect(String(decoding: run.output, as: UTF8.self) == "hello\n")
        #expect(String(decoding: run.errorOutput, as: UTF8.self) == "wrong\n")
        #expect(run.exit == .status(7))
        #expect(run.links == 1 && run.attachments.map(\.isNew) == [true])
    }

    @Test("Megabytes pass both ways over links that break, and none of them is changed")
    func cuts() throws {
        var random = Seeded(1)
        let run = HostRun(HostRun.command("cat; exit 3"))
        run.input = random.bytes(6_000_000)
        run.breaks = (0..<25).map { _ in Int.random(in: 20_000...400_000, using: &random) }
        try run.finish()
        #expect(run.failure == nil && run.refusal == nil)
        #expect(run.links >= 26)
        #expect(run.breaks.isEmpty)
        #expect((run.output == run.input) as Bool)
        #expect(run.exit == .status(3))
        #expect(run.attachments.filter(\.isNew).count <= 1)
    }

    @Test("Wherever the first link breaks, the command runs once and its status comes")
    func firstLink() throws {
        let count = Bootstrap.body.count
        // Within the body; HELLO and START; the answers.
        let places =
            Array(stride(from: 1, to: count, by: count / 4))
            + Array(stride(from: count, to: count + 330, by: 15))
        let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        for place in places {
            let file = scratch.appending(path: "\(place)")
            let run = HostRun(HostRun.command("echo once >> \(file.path); echo done; exit 5"))
            run.breaks = [place]
            try run.finish()
            #expect(run.failure == nil && run.refusal == nil, "after \(place) bytes")
            #expect(String(decoding: run.output, as: UTF8.self) == "done\n", "after \(place) bytes")
            #expect(run.exit == .status(5), "after \(place) bytes")
            #expect(
                try String(contentsOf: file, encoding: .utf8) == "once\n",
                "after \(place) bytes"
            )
        }
    }

    @Test("A terminal has its size, changes it, and passes a signal's key on")
    func terminal() throws {
        var start = HostRun.command("stty size; read line; stty size; echo $line; cat")
        start.pty = .init(
            term: "xterm",
            modes: [0],
            size: .init(columns: 80, rows: 24)
        )
        let run = HostRun(start)
        run.endsInput = false
        try run.run { $0.text.contains("24 80\r\n") }
        run.session.resize(.init(columns: 100, rows: 30))
        run.breakLink()
        run.input = Array("typed\n".utf8)
        try run.run { $0.text.contains("30 100\r\ntyped\r\n") }
        run.input += [0x03]
        try run.finish()
        #expect(run.failure == nil)
        // The echo, then what the commands say.
        #expect(run.text == "24 80\r\ntyped\r\n30 100\r\ntyped\r\n^C")
        #expect(
            run.exit == .signal(name: "INT", coreDumped: false, text: "")
                || run.exit == .status(130)
        )
    }

    @Test("A signal reaches the command, and what it died of is told")
    func signal() throws {
        let run = HostRun(HostRun.command("echo up; exec sleep 1000"))
        run.endsInput = false
        try run.run { $0.text == "up\n" }
        run.session.signal("TERM")
        try run.finish()
        guard case .signal("TERM", false, _) = run.exit else {
            Issue.record("\(String(describing: run.exit))")
            return
        }
    }

    @Test("Connections forwarded both ways live on when links break")
    func forwards() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let run = HostRun(HostRun.command("cat"))
        run.endsInput = false
        run.breaks = [40_000, 100_000, 100_000, 100_000]
        var accepted: UInt32?
        var opened: UInt32?
        run.onEvent = { [unowned run] event, _ in
            switch event {
            case .listening: opened = run.session.open(.unix(path: path))
            case .offered(let offer):
                accepted = offer.stream
                run.session.accept(offer.stream)
            default: break
            }
        }
        let listener = run.session.listen(.unix(path: path))
        // What goes in at one end comes out at the other: to the host, its socket, and back.
        try run.run { _ in accepted != nil && opened.map { run.session.room(on: $0) > 0 } ?? false }
        let there = try #require(accepted)
        let here = try #require(opened)
        let bytes = Seeded(4).firstBytes(300_000)
        var sent: [UInt32: Int] = [:]
        try run.run { run in
            for stream in [here, there] {
                let start = sent[stream] ?? 0
                let part = bytes.span.extracting(start..<bytes.count)
                sent[stream] = start + run.session.send(part, on: stream)
            }
            return run.streams[here]?.count == bytes.count
                && run.streams[there]?.count == bytes.count
        }
        #expect((run.streams[here] == bytes) as Bool)
        #expect((run.streams[there] == bytes) as Bool)
        #expect(run.links >= 3)
        for stream in [here, there] {
            run.session.end(stream)
            run.session.close(stream)
        }
        run.session.unlisten(listener)
        try run.run { $0.session.streams.isEmpty }
        run.session.leave(.end)
        try run.run()
        #expect(run.failure == nil)
    }

    @Test("A connection to where nobody listens is refused with the reason")
    func refusedForward() throws {
        let run = HostRun(HostRun.command("cat"))
        run.endsInput = false
        var told: ResumeSession.Event?
        run.onEvent = { event, _ in if case .openRefused = event { told = event } }
        let stream = run.session.open(.unix(path: "/nonexistent/socket"))
        try run.run { _ in told != nil }
        guard case .openRefused(stream, reason: 2, _) = told else {
            Issue.record("\(String(describing: told))")
            return
        }
        run.session.leave(.end)
        try run.run()
    }

    @Test("A session that was left is listed, joined by another client, and ended")
    func join() throws {
        let first = HostRun(HostRun.command("echo one; cat; echo two"))
        first.endsInput = false
        try first.run { $0.text == "one\n" }
        first.session.leave(.detach)
        try first.run()
        let listing = try #require(try list().first { $0.identity == first.session.identity })
        #expect(listing.command == "echo one; cat; echo two" && listing.kind == .command)
        #expect(!listing.isAttached && !listing.hasExited && !listing.isLost && !listing.hasPty)
        let second = HostRun(joining: listing)
        second.input = Array("three\n".utf8)
        second.breaks = [Bootstrap.body.count + 200]
        try second.finish()
        #expect(second.failure == nil)
        // What the first client had put down is not told again.
        #expect(second.text == "three\ntwo\n")
        #expect(second.exit == .status(0))
        #expect(try !list().contains { $0.identity == first.session.identity })
    }

    @Test("Another client takes a session from one that has it, and cannot without the secret")
    func takeOver() throws {
        let first = HostRun(HostRun.command("cat"))
        first.endsInput = false
        try first.run { !$0.attachments.isEmpty }
        let listing = try #require(try list().first { $0.identity == first.session.identity })
        let second = HostRun(joining: listing)
        second.endsInput = false
        try second.run { !$0.attachments.isEmpty }
        try first.run()
        #expect(first.session.isOver && first.refusal == nil)
        second.session.leave(.end)
        try second.run()
        var generator = SystemRandomNumberGenerator()
        let identity = ResumeSession.Identity(using: &generator)
        let unknown = frame(
            0x06,
            identity.id + identity.secret + [2, 0] + wire(8, 0) + wire(4, 0) + wire(4, 0) + wire("")
        )
        let third = HostRun(joining: try ResumeListing(Array(unknown.dropFirst(4))))
        try third.run()
        #expect(third.refusal?.code == .unknown)
    }

    private func list() throws -> [ResumeListing] {
        let link = try HostLink()
        var list = ResumeList()
        var request = ResumeList.request[...]
        while !list.isComplete {
            link.wait(writing: !request.isEmpty, milliseconds: 10_000)
            if !request.isEmpty { request = request.dropFirst(link.write(request) ?? 0) }
            guard let bytes = link.read(most: 10_000) else { continue }
            try #require(!bytes.isEmpty)
            try list.receive(bytes.span)
        }
        return list.listings
    }
}

extension HostRun {
    var text: String { String(decoding: output, as: UTF8.self) }
}
