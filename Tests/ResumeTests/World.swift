import TestSupport

@testable import Resume

/// A client and a host joined by links that break, in a time of its own.
final class World {
    /// What a run is made of; all of it comes from the seed but what a test sets.
    struct Plan {
        var seed: UInt64
        var input: [UInt8] = []
        var script = RemoteHalf.Script()
        var window = 1 << 20
        /// Bytes of one forwarded connection, echoed by the host.
        var forwarded: [UInt8] = []
        /// One cut in so many steps.
        var cutOneIn = 20
        var cuts = 100
    }

    let plan: Plan
    let host: RemoteHalf
    var session: ResumeSession
    private(set) var now = ContinuousClock.now
    private var random: Seeded
    private var link: RemoteHalf.Link?
    private var toHost: [UInt8] = []
    private var isMute = false
    private var connectAt: ContinuousClock.Instant
    private var sent = 0
    private var hasEndedInput = false
    private var forward: UInt32?
    private var forwardSent = 0
    private var forwardOpen = false
    private var buffer: [UInt8] = []
    private var events: [ResumeSession.Event] = []

    private(set) var output: [UInt8] = []
    private(set) var errorOutput: [UInt8] = []
    private(set) var echo: [UInt8] = []
    private(set) var exit: ResumeSession.Exit?
    private(set) var hasEnded = false
    private(set) var forwardIsOver = false
    private(set) var cutCount = 0
    private(set) var attachments: [ResumeSession.Attachment] = []
    private(set) var failure: String?
    private(set) var isFinished = false
    private var unwritten = 0
    private var unwrittenForward = 0
    private(set) var mostBacklog = 0

    init(_ plan: Plan) {
        self.plan = plan
        random = Seeded(plan.seed)
        host = RemoteHalf(plan.script, seed: plan.seed &+ 1)
        var start = ResumeSession.Start(.command)
        start.command = Array("true".utf8)
        start.window = plan.window
        connectAt = now
        session = ResumeSession(.init(using: &random), start: start, now: now)
        if !plan.forwarded.isEmpty { forward = session.open(.tcp(host: "db", port: 5432)) }
    }

    /// Goes on until the session is over or nothing more happens.
    func run(steps: Int = 50_000) {
        for _ in 0..<steps where !isFinished && failure == nil {
            step()
            if let violation = host.violations.first { failure = violation }
        }
        if !isFinished && failure == nil { failure = "it does not end" }
    }

    private func step() {
        now += .microseconds(Int64.random(in: 0...(isMute ? 100_000 : 4000), using: &random))
        if link == nil, now >= connectAt { connect() }
        feed()
        carryOut()
        host.work()
        if !isMute { host.flush(limit: 150_000) }
        carryIn()
        putDown()
        session.advance(now: now)
        mostBacklog = max(mostBacklog, session.backlog)
        if link != nil, session.liveness(now) == .dead { lose() }
        if link != nil, !isMute, cutCount < plan.cuts,
            Int.random(in: 0..<plan.cutOneIn, using: &random) == 0
        {
            cut()
        }
        if exit != nil, hasEnded, forward == nil || forwardIsOver, unwritten == 0, !session.isOver {
            session.leave(.done)
        }
    }

    /// What is not as it would be without any cut.
    var differences: [String] {
        var found = host.violations
        if let failure { found.append(failure) }
        if host.starts != 1 { found.append("started \(host.starts) times") }
        if host.input != plan.input { found.append("input \(host.input.count)") }
        if !host.inputEnded && plan.script.readsInput { found.append("input goes on") }
        if output != plan.script.output { found.append("output \(output.count)") }
        if errorOutput != plan.script.errorOutput { found.append("errors \(errorOutput.count)") }
        if echo != plan.forwarded { found.append("echo \(echo.count)") }
        if exit != .status(plan.script.status) { found.append("\(String(describing: exit))") }
        if host.farewell != 3 { found.append("farewell \(String(describing: host.farewell))") }
        if mostBacklog > plan.window + 70_000 { found.append("backlog of \(mostBacklog)") }
        return found
    }

    // MARK: - Links

    private func connect() {
        let isExec = attachments.isEmpty || Bool.random(using: &random)
        host.noise = isExec ? random.bytes(Int.random(in: 0...40, using: &random)) : []
        link = host.connect(isExec: isExec)
        isMute = false
        toHost = []
        session.attach(isExec ? .exec : .socket, now: now)
    }

    private func cut() {
        cutCount += 1
        if Int.random(in: 0..<4, using: &random) == 0 {
            // Nothing says that it is gone.
            isMute = true
            return
        }
        // Of what is under way any part arrives.
        if !isMute {
            carryOut(part: Int.random(in: 0...toHost.count, using: &random))
            if let count = link?.outgoing.count, Bool.random(using: &random) {
                carryIn(part: Int.random(in: 0...count, using: &random))
            }
            if let link { host.disconnect(link) }
        }
        lose()
    }

    private func lose() {
        session.lose(channelEnded: false, now: now)
        link = nil
        connectAt = now + .milliseconds(Int64.random(in: 0...500, using: &random))
    }

    // MARK: - Bytes

    private func feed() {
        if sent < plan.input.count {
            let count = min(plan.input.count - sent, Int.random(in: 1...60_000, using: &random))
            let input = plan.input
            sent += session.send(input.span.extracting(sent..<(sent + count)))
        } else if !hasEndedInput {
            hasEndedInput = true
            session.end()
        }
        guard let forward, forwardOpen else { return }
        if forwardSent < plan.forwarded.count {
            let count = min(plan.forwarded.count - forwardSent, 10_000)
            let bytes = plan.forwarded
            let part = bytes.span.extracting(forwardSent..<(forwardSent + count))
            forwardSent += session.send(part, on: forward)
        } else {
            session.end(forward)
        }
    }

    private func carryOut() {
        guard link != nil else { return }
        if toHost.count < 100_000, session.hasSomethingToSend(now) {
            let limit = toHost.count + Int.random(in: 13...70_000, using: &random)
            session.take(into: &toHost, limit: limit, now: now)
        }
        carryOut(part: Int.random(in: 0...toHost.count, using: &random))
    }

    private func carryOut(part: Int) {
        guard let link, part > 0 else { return }
        if !isMute { host.receive(Array(toHost.prefix(part)), from: link) }
        toHost.removeFirst(part)
    }

    private func carryIn() {
        guard let link, !isMute, !link.outgoing.isEmpty else { return }
        carryIn(part: Int.random(in: 1...link.outgoing.count, using: &random))
    }

    private func carryIn(part: Int) {
        guard let link else { return }
        buffer = Array(link.outgoing.prefix(part))
        link.outgoing.removeFirst(part)
        events.removeAll(keepingCapacity: true)
        do {
            let bytes = buffer
            try session.receive(bytes.span, into: &events, now: now)
        } catch {
            failure = "\(error)"
        }
        for event in events { take(event) }
    }

    private func take(_ event: ResumeSession.Event) {
        switch event {
        case .attached(let attachment): attachments.append(attachment)
        case .output(let place):
            output += buffer[place]
            unwritten += place.count
        case .errorOutput(let place):
            errorOutput += buffer[place]
            unwritten += place.count
        case .outputEnded: hasEnded = true
        case .exited(let exit): self.exit = exit
        case .opened: forwardOpen = true
        case .data(_, let place):
            echo += buffer[place]
            unwrittenForward += place.count
        case .ended(let stream):
            session.close(stream)
            forwardIsOver = true
        case .farewell: isFinished = true
        case .refused(let refusal):
            if host.isForgotten && refusal.code == .unknown {
                isFinished = true
            } else {
                failure = "\(refusal)"
            }
        case .notice: break
        default: failure = "\(event)"
        }
    }

    private func putDown() {
        let count = Int.random(in: 0...unwritten, using: &random)
        session.notePutDown(count, now: now)
        unwritten -= count
        guard let forward else { return }
        session.notePutDown(unwrittenForward, of: forward, now: now)
        unwrittenForward = 0
    }
}
