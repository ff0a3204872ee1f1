import Foundation

@testable import Resume

/// A session with the real remote half, in real time, over links that a test breaks.
final class HostRun {
    var session: ResumeSession
    /// Bytes that pass on a link, both ways together, before it breaks; nil for the others.
    var breaks: [Int] = []
    /// Whether links after the first go to the socket, one in two.
    var usesSocket = true
    var input: [UInt8] = []
    var endsInput = true
    /// What a test does with an event.
    var onEvent: (ResumeSession.Event, ArraySlice<UInt8>) -> Void = { _, _ in }

    private(set) var output: [UInt8] = []
    private(set) var errorOutput: [UInt8] = []
    private(set) var streams: [UInt32: [UInt8]] = [:]
    private(set) var exit: ResumeSession.Exit?
    private(set) var hasEnded = false
    private(set) var isOver = false
    private(set) var refusal: Refusal?
    private(set) var failure: String?
    private(set) var attachments: [ResumeSession.Attachment] = []
    private(set) var links = 0

    private var link: HostLink?
    private var connect: () throws -> HostLink
    private var passed = 0
    private var toSend: [UInt8] = []
    private var sent = 0
    private var inputSent = 0
    private var now: ContinuousClock.Instant { .now }

    init(
        _ start: ResumeSession.Start,
        connect: @escaping () throws -> HostLink = { try HostLink() }
    ) {
        var generator = SystemRandomNumberGenerator()
        session = ResumeSession(.init(using: &generator), start: start, now: .now)
        self.connect = connect
    }

    init(joining listing: ResumeListing) {
        session = ResumeSession(joining: listing, now: .now)
        connect = { try HostLink() }
    }

    /// A command that goes away by itself should a test not end it.
    static func command(_ text: String, window: Int = 1 << 20) -> ResumeSession.Start {
        var start = ResumeSession.Start(.command)
        start.command = Array(text.utf8)
        start.window = window
        start.timeout = .seconds(60)
        return start
    }

    /// Goes on until a condition holds, the session is over, or a minute has passed.
    func run(until isDone: (HostRun) -> Bool = { _ in false }) throws {
        let end = now + .seconds(60)
        while !isDone(self), !isOver, failure == nil {
            if now > end {
                failure = "it does not end"
                return
            }
            try turn()
        }
    }

    /// Takes in what is under way until the process is through, then takes leave.
    func finish() throws {
        try run { $0.exit != nil && $0.hasEnded }
        session.leave(.done)
        try run()
    }

    func breakLink() {
        session.lose(channelEnded: false, now: now)
        link = nil
    }

    private func turn() throws {
        if link == nil { try openLink() }
        guard let link else { return }
        feed()
        session.advance(now: now)
        if sent == toSend.count, session.hasSomethingToSend(now) {
            toSend.removeAll(keepingCapacity: true)
            sent = 0
            session.take(into: &toSend, limit: 65_536, now: now)
        }
        let deadline = session.deadline(now).map { ($0 - now) / .milliseconds(1) } ?? 1000
        link.wait(
            writing: sent < toSend.count || session.hasSomethingToSend(now),
            milliseconds: Int32(max(0, min(deadline + 1, 1000)))
        )
        write(link)
        if self.link != nil { read(link) }
        if self.link != nil, session.liveness(now) == .dead { breakLink() }
    }

    private func openLink() throws {
        let path = attachments.last?.socketPath
        if let path, usesSocket, links % 2 == 1 {
            // The remote half may be gone by now, which only an exec can tell.
            link = try? HostLink(socket: path)
            if link != nil { session.attach(.socket, now: now) }
        }
        if link == nil {
            link = try connect()
            session.attach(.exec, now: now)
        }
        links += 1
        passed = 0
        toSend = []
        sent = 0
    }

    /// Bytes that may still pass before the link breaks.
    private var left: Int { breaks.first.map { $0 - passed } ?? .max }

    private func pass(_ count: Int) {
        passed += count
        guard left <= 0 else { return }
        breaks.removeFirst()
        breakLink()
    }

    private func write(_ link: HostLink) {
        let part = toSend[sent..<min(toSend.count, sent + min(left, 65_536))]
        guard !part.isEmpty, let count = link.write(part) else { return }
        sent += count
        pass(count)
    }

    private func read(_ link: HostLink) {
        guard let bytes = link.read(most: min(left, 65_536)) else { return }
        if bytes.isEmpty {
            session.lose(channelEnded: true, now: now)
            self.link = nil
            if session.isOver || session.started == .no { isOver = true }
            return
        }
        var events: [ResumeSession.Event] = []
        do {
            try session.receive(bytes.span, into: &events, now: now)
        } catch {
            failure = "\(error)"
        }
        for event in events { take(event, bytes) }
        if self.link != nil { pass(bytes.count) }
    }

    private func take(_ event: ResumeSession.Event, _ bytes: [UInt8]) {
        var part: ArraySlice<UInt8> = []
        switch event {
        case .attached(let attachment): attachments.append(attachment)
        case .output(let place):
            part = bytes[place]
            output += part
            session.notePutDown(part.count, now: now)
        case .errorOutput(let place):
            part = bytes[place]
            errorOutput += part
            session.notePutDown(part.count, now: now)
        case .data(let stream, let place):
            part = bytes[place]
            streams[stream, default: []] += part
            session.notePutDown(part.count, of: stream, now: now)
        case .exited(let exit): self.exit = exit
        case .outputEnded: hasEnded = true
        case .farewell, .superseded, .ending: isOver = true
        case .refused(let refusal):
            self.refusal = refusal
            isOver = session.isOver
        default: break
        }
        onEvent(event, part)
    }

    private func feed() {
        if inputSent < input.count {
            let bytes = input
            inputSent += session.send(bytes.span.extracting(inputSent..<bytes.count))
        } else if endsInput {
            session.end()
        }
    }
}
