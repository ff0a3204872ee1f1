internal import Faults
internal import Posix
internal import Resume
internal import SSH

/// A session channel that goes on over another connection when its own breaks.
///
/// What is asked for is noted, and asked for by one exec request for the remote half, which then owns
/// the process; only what the server itself judges or gives (variables, agent, X11) is asked of it.
/// Where the remote half cannot be, the channel becomes a plain one before anything was started.
///
///     asking ── shell, exec ──▶ starting ── WELCOME ──▶ running ── all put down ──▶ over
///                                  │                     ▲   │
///                                  ▼ no remote half      │   ▼ link lost
///                                plain                   └ attaching
@safe final class ResumedChannel: Channel {
    enum Phase {
        /// The task is not known yet.
        case asking
        /// The remote half is asked for, or has the session.
        case resumable
        /// A channel without resumption is asked for.
        case becomingPlain(SessionStart)
        /// A channel without resumption does it all.
        case plain(any Channel)
        /// Nothing more will come; why is told.
        case lost
    }

    /// What is kept of standard input while there is no link.
    private static let typeAhead = 65_536
    /// As much as one write takes.
    private static let pieceSize = 65_536
    /// How often a remote half that ends its channel is asked for again on one connection.
    private static let mostAttaches = 3

    var onData: (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int = { _, _ in 0 } {
        didSet {
            if case .plain(let channel) = phase { unsafe channel.onData = onData }
            drain()
        }
    }

    /// Told of all that comes over the link, before it is acted upon.
    var onEvent: ((ResumeSession.Event, UnsafeRawBufferPointer) -> Void)?

    let settings: ResumeSettings
    let trace: Trace
    /// The connection of the link that is, or is to be.
    private(set) var carrier: any ChannelCarrier
    var phase = Phase.asking
    /// What was asked for.
    var request = SessionRequest(task: .shell)
    var session: ResumeSession?
    var link: (any Channel)?

    /// Where it is put on record.
    var records: SessionKeeper?
    /// The session on the host that it takes over.
    var joins: ResumeListing?
    private var mark: SessionMark?

    /// The requests on a link that is being made.
    private var start: SessionStart?
    /// How much more silence than otherwise its links may have.
    var forbearance = 1
    private var attaches = 0
    private var attachAt: Instant?
    /// Taken from the session, not taken by the link.
    private var outgoing: [UInt8] = []
    private var output = Backlog()
    private var errorOutput = Backlog()
    private var held = HeldOutput()
    private var hasEnded = false
    private var exit: ResumeSession.Exit?
    private var hasSaidDone = false
    private var isDetached = false
    private var now: Instant

    /// Prepares a channel; nothing is sent yet.
    /// - Parameters:
    ///   - carrier: the connection of the first link.
    ///   - settings: how it is resumed.
    ///   - trace: the run's trace.
    init(over carrier: any ChannelCarrier, _ settings: ResumeSettings, trace: Trace) {
        self.carrier = carrier
        self.settings = settings
        self.trace = trace
        now = readClock()
        link = carrier.openSession()
    }

    // MARK: - What the connection's keeper sees

    /// Whether a broken connection is to be replaced for it.
    var isResumable: Bool {
        guard case .resumable = phase, let session else { return false }
        return !session.isOver && !hasSaidDone && (joins != nil || session.started != .no)
    }

    /// Whether nothing will come of it any more.
    var isLost: Bool { if case .lost = phase { true } else { false } }

    /// Whether its host runs the remote half; nil as long as that is not known.
    var hasRemoteHalf: Bool? {
        switch phase {
        case .asking: nil
        case .resumable, .lost: session?.started == .yes ? true : nil
        case .becomingPlain, .plain: false
        }
    }

    /// Whether there is a process behind it that the user has asked for.
    var hasProcess: Bool {
        switch request.task {
        case .shell, .command, .subsystem: true
        case .hold, .forward: false
        }
    }

    /// Whether the host has heard of its end, or is not to.
    var isOver: Bool {
        switch phase {
        case .asking: false
        case .resumable: session?.isOver ?? true
        case .becomingPlain, .plain, .lost: true
        }
    }

    /// What the user can name it by.
    var name: String { session?.identity.description ?? "" }

    /// Whether its link answers; before the first answer nothing is known.
    func liveness(_ now: Instant) -> ResumeSession.Liveness {
        guard let session, session.started == .yes, session.isAttached else { return .alive }
        return session.liveness(now)
    }

    /// Asks the other side for a sign of life.
    func probe() { session?.probe() }

    /// As ``probe()``, when silence so far says nothing.
    func excuse(_ now: Instant) { session?.excuse(now: now) }

    var deadline: Instant? { earliest(session?.deadline(now), attachAt) }

    /// Whether all that is to be sent is on its way.
    var isFlushed: Bool {
        guard let session, session.isUp, let link, !link.isClosed else { return true }
        return outgoing.isEmpty && !session.hasSomethingToSend(readClock())
    }

    /// The connection is gone.
    func linkLost() {
        dropLink()
        session?.lose(channelEnded: false, now: readClock())
    }

    private func dropLink() {
        start = nil
        link = nil
        outgoing = []
        attachAt = nil
    }

    /// Goes on over another connection.
    func attach(over carrier: any ChannelCarrier, _ forbearance: Int) {
        self.forbearance = forbearance
        if link != nil || start != nil { linkLost() }
        self.carrier = carrier
        attaches = 0
        beginAttaching()
    }

    private func beginAttaching() {
        attaches += 1
        attachAt = nil
        var again = SessionRequest(task: .command(Array(Bootstrap.command.utf8)))
        again.x11 = request.x11
        again.forwardsAgent = request.forwardsAgent
        again.environment = request.environment
        start = SessionStart(again, on: carrier, trace: trace)
    }

    /// Hangs the process up and takes leave, unless it was left running.
    func hangUp() {
        if isDetached { return }
        if session?.isUp == true { mark?.remove() }
        session?.leave(.end)
    }

    /// Leaves the process running.
    func detach() {
        isDetached = true
        session?.leave(.detach)
    }

    /// Does what can be done in this turn.
    func pump(_ now: Instant) {
        self.now = now
        guard case .resumable = phase else { return }
        if let attachAt, attachAt <= now { beginAttaching() }
        goOnAttaching(now)
        if link?.isClosed == true { linkEnded(now) }
        session?.advance(now: now)
        if isAllPutDown, !hasSaidDone {
            session?.leave(.done)
            hasSaidDone = true
            mark?.remove()
        }
        send(now)
    }

    /// Sends what was put in after this turn's call: no event would tell of it.
    func flush() { pump(readClock()) }

    private func goOnAttaching(_ now: Instant) {
        guard let start, carrier.failure == nil else { return }
        do {
            guard case .done(let channel) = try start.step() else { return }
            self.start = nil
            adopt(channel, now)
        } catch {
            trace.debug(.debug1, .link, "no link: \(error)")
            self.start = nil
            tryAgainLater(now)
        }
    }

    /// Takes a channel on which the exec request for the remote half was granted.
    func adopt(_ channel: any Channel, _ now: Instant) {
        link = channel
        outgoing = []
        session?.forbearance = forbearance
        session?.attach(.exec, now: now)
        unsafe channel.onData = { [unowned self] bytes, isError in
            unsafe receive(bytes, isError: isError)
        }
    }

    /// The server has ended the channel, and not the connection.
    private func linkEnded(_ now: Instant) {
        guard let ended = link else { return }
        dropLink()
        session?.lose(channelEnded: true, now: now)
        guard let session, !session.isOver || session.started == .no, !hasSaidDone else { return }
        if session.started != .no || joins != nil && !isWithoutPython {
            tryAgainLater(now)
        } else if joins != nil {
            lose("the host has no Python any more")
        } else {
            withoutRemoteHalf(ended)
        }
    }

    private func tryAgainLater(_ now: Instant) {
        if attaches < ResumedChannel.mostAttaches {
            attachAt = now + .milliseconds(250)
        } else {
            lose("its remote half cannot be reached any more")
        }
    }

    /// Ends without a status, and says why.
    func lose(_ reason: String) {
        if case .hold = request.task {
            trace.debug(.debug1, .link, "forwards \(name): \(reason)")
        } else {
            trace.say(.error, "ec2sh: error: session \(name): \(reason)")
        }
        phase = .lost
        dropLink()
    }

    /// The channel has ended before the remote half began: nothing of ours runs there.
    ///
    /// The session is begun anew without it. A command is not where an account runs one of its own,
    /// whatever is asked for: that has been run now, so what came of it is what the user gets.
    private func withoutRemoteHalf(_ ended: any Channel) {
        trace.debug(.debug1, .link, "no remote half on this host: nothing is resumed")
        session = nil
        let isForced = !held.output.isEmpty || !held.errorOutput.isEmpty
        if case .command = request.task, isForced, !isWithoutPython {
            output.append(held.output)
            errorOutput.append(held.errorOutput)
            phase = .plain(ended)
            drain()
        } else {
            becomePlain()
        }
        held = HeldOutput()
    }

    /// Goes on without resumption, where there is such a thing.
    func becomePlain() {
        phase =
            hasProcess
            ? .becomingPlain(SessionStart(request, on: carrier, trace: trace)) : .lost
    }

    private var isWithoutPython = false

    // MARK: - Out

    private func send(_ now: Instant) {
        guard let link, start == nil else { return }
        while link.canWrite {
            if outgoing.isEmpty {
                guard session?.hasSomethingToSend(now) == true else { return }
                session?.take(into: &outgoing, limit: ResumedChannel.pieceSize, now: now)
                if outgoing.isEmpty { return }
            }
            let taken = (try? unsafe outgoing.withUnsafeBytes { unsafe try link.write($0) }) ?? 0
            if taken == 0 { return }
            if taken == outgoing.count {
                outgoing.removeAll(keepingCapacity: true)
            } else {
                outgoing.removeFirst(taken)
            }
        }
    }

    /// Bytes of input that can be taken now.
    var room: Int {
        guard let session, session.started == .yes else { return 0 }
        let room = session.room()
        return session.isUp ? room : min(room, ResumedChannel.typeAhead - session.backlog)
    }

    // MARK: - In

    private func receive(_ bytes: UnsafeRawBufferPointer, isError: Bool) -> Int {
        guard session != nil else { return bytes.count }
        if session?.started != .yes { unsafe held.add(bytes, isError: isError) }
        // What the remote half itself complains about belongs to nobody.
        if isError { return bytes.count }
        let elements = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        var events: [ResumeSession.Event] = []
        do throws(ResumeError) {
            try session?.receive(unsafe elements.span, into: &events, now: readClock())
            for event in events { unsafe take(event, bytes) }
        } catch {
            for event in events { unsafe take(event, bytes) }
            trace.debug(.debug1, .link, error.summary)
            _ = link?.close()
        }
        return bytes.count
    }

    private func take(_ event: ResumeSession.Event, _ bytes: UnsafeRawBufferPointer) {
        unsafe onEvent?(event, bytes)
        switch event {
        case .output(let place): unsafe deliver(bytes, place, isError: false)
        case .errorOutput(let place): unsafe deliver(bytes, place, isError: true)
        case .outputEnded: hasEnded = true
        case .exited(let exit): self.exit = exit
        case .attached(let attachment):
            held = HeldOutput()
            attaches = 0
            trace.debug(.debug1, .link, "session \(name) attached, pid \(attachment.pid)")
            if attachment.isFirst { noteBegun(attachment) }
        case .skipped(let count):
            let line = Array("\r\n[ec2sh: \(count) bytes of output skipped]\r\n".utf8)
            unsafe line.withUnsafeBytes { _ = unsafe onData($0, true) }
        case .notice(.killedAtLogout):
            trace.debug(.debug1, .link, "the host ends what its users leave (KillUserProcesses)")
        case .notice(.other(_, let text)): trace.debug(.debug1, .link, printable(text))
        case .refused(let refusal): take(refusal)
        case .superseded: lose("another client has taken it over")
        case .ending:
            mark?.remove()
            lose("the host has ended it")
        // Forwarded connections are the business of who is told of events.
        case .farewell, .opened, .openRefused, .offered, .data, .ended, .closed, .listening,
            .notListening:
            break
        }
    }

    /// The session runs on the host, and this client has it.
    private func noteBegun(_ attachment: ResumeSession.Attachment) {
        if hasProcess { mark = records?.begin(name, request.task) }
        guard joins != nil, attachment.hasPty, let size = request.pty?.size else { return }
        session?.resize(
            ResumeSession.Size(columns: UInt32(size.columns), rows: UInt32(size.rows)),
            redraws: true
        )
    }

    private func take(_ refusal: Refusal) {
        switch refusal.code {
        case .ended, .lost, .rebooted, .unknown: mark?.remove()
        default: break
        }
        switch refusal.code {
        case .cannotStart:
            trace.debug(.debug1, .link, "not resumable: \(printable(refusal.text))")
            isWithoutPython = true
        case .busy, .malformed: _ = link?.close()
        case .ended:
            exit = .status(refusal.value)
            lose("it has ended, and what it put out last is lost")
        case .lost: lose("its process on the host is gone; its state is unknown")
        case .rebooted: lose("the host was started anew; its state is unknown")
        case .unknown: lose("the host does not know it any more; its state is unknown")
        case .version: lose("the host has it from an ec2sh with protocol \(refusal.value)")
        case .superseded: lose("another client has taken it over")
        default: lose("the host refuses it: \(printable(refusal.text))")
        }
    }

    private func deliver(_ bytes: UnsafeRawBufferPointer, _ place: Range<Int>, isError: Bool) {
        let backlog = isError ? errorOutput : output
        var taken = 0
        if backlog.isEmpty {
            unsafe taken = onData(UnsafeRawBufferPointer(rebasing: bytes[place]), isError)
            notePutDown(taken)
        }
        if taken < place.count {
            let rest = (place.lowerBound + taken)..<place.upperBound
            backlog.append(unsafe Array(bytes[rest]))
        }
    }

    private func notePutDown(_ count: Int) {
        if count > 0 { session?.notePutDown(count, now: now) }
    }

    func drain() {
        notePutDown(unsafe output.handOn { bytes in unsafe onData(bytes, false) })
        notePutDown(unsafe errorOutput.handOn { bytes in unsafe onData(bytes, true) })
        if case .plain(let channel) = phase { channel.drain() } else { flush() }
    }

    // MARK: - The end

    private var isDrained: Bool { output.isEmpty && errorOutput.isEmpty }

    /// Whether the process has ended and all it has put out is where it belongs.
    private var isAllPutDown: Bool { exit != nil && hasEnded && isDrained }

    var exitStatus: Int? {
        if case .plain(let channel) = phase { return channel.exitStatus }
        guard isDrained, case .status(let status) = exit else { return nil }
        return Int(status)
    }

    var exitSignal: ExitSignal? {
        if case .plain(let channel) = phase { return channel.exitSignal }
        guard case .signal(let name, let coreDumped, let text) = exit else { return nil }
        return ExitSignal(name: name, coreDumped: coreDumped, message: text)
    }

    var remoteEOF: Bool {
        switch phase {
        case .plain(let channel): channel.remoteEOF && isDrained
        case .lost: isDrained
        default: hasEnded && isDrained
        }
    }

    var isClosed: Bool {
        switch phase {
        case .plain(let channel): channel.isClosed && isDrained
        case .lost: isDrained
        default: isAllPutDown
        }
    }
}
