internal import Posix
internal import SSH

/// A forwarded connection that goes on over another connection when that of its login breaks.
///
///     asking ── the remote half may ──▶ opening ──▶ open ──▶ over
///        └───── it may not, or is not there ──▶ plain
@safe final class ResumedStream: ConnectionChannel {
    private enum Phase {
        /// Who makes it is not known yet.
        case asking
        /// The remote half was asked to make it.
        case opening(UInt32)
        case open(UInt32)
        /// A channel of the server's does it all, and ends with the connection.
        case plain(any Channel)
        case over
    }

    var onData: (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int = { _, _ in 0 } {
        didSet {
            if case .plain(let channel) = phase { unsafe channel.onData = onData }
            drain()
        }
    }

    private let target: ForwardTarget
    private let origin: ForwardOrigin
    private let forwards: ResumedForwards
    private var phase = Phase.asking
    private var refusal: SSHError?
    private var waiting = Backlog()
    private var hasEnded = false

    /// - Parameters:
    ///   - target: where to.
    ///   - origin: where it comes from.
    ///   - forwards: what it is one of.
    init(to target: ForwardTarget, from origin: ForwardOrigin, over forwards: ResumedForwards) {
        self.target = target
        self.origin = origin
        self.forwards = forwards
    }

    func open() throws(SSHError) -> Attempt<Void> {
        if let refusal { throw refusal }
        switch phase {
        case .asking:
            guard case .done(let isResumed) = try forwards.canOpen(target) else { return .again }
            if isResumed {
                phase = forwards.open(self, target, origin).map { .opening($0) } ?? .asking
                return .again
            }
            let channel = forwards.openPlain(target, origin)
            phase = .plain(channel)
            unsafe channel.onData = onData
            return try channel.open()
        case .opening: return .again
        case .plain(let channel): return try channel.open()
        case .open, .over: return .done(())
        }
    }

    // MARK: - Out

    var canWrite: Bool {
        switch phase {
        case .plain(let channel): channel.canWrite
        case .open(let number): forwards.room(on: number) > 0
        case .asking, .opening, .over: false
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int {
        switch phase {
        case .plain(let channel): return try unsafe channel.write(bytes)
        case .open(let number): return unsafe forwards.send(bytes, on: number)
        case .asking, .opening, .over: throw .refused("the connection is closed")
        }
    }

    func sendEOF() {
        switch phase {
        case .plain(let channel): channel.sendEOF()
        case .open(let number): forwards.end(number)
        case .asking, .opening, .over: break
        }
    }

    func close() -> Attempt<Void> {
        switch phase {
        case .plain(let channel): return channel.close()
        case .opening(let number), .open(let number): forwards.close(number)
        case .asking, .over: break
        }
        phase = .over
        return .done(())
    }

    // MARK: - In

    /// The remote half has made it.
    func noteOpened() {
        if case .opening(let number) = phase { phase = .open(number) }
    }

    /// The remote half cannot make it.
    /// - Parameters:
    ///   - code: as in RFC 4254 §5.1.
    ///   - text: why.
    func noteRefused(_ code: UInt32, _ text: String) {
        refusal = .openRefused(code: code, text: text)
        phase = .over
    }

    /// The other end sends nothing more.
    func noteEnded() { hasEnded = true }

    /// It is over on both sides.
    func noteClosed() {
        if case .opening = phase { refusal = .refused("the connection is closed") }
        phase = .over
    }

    /// Bytes came.
    func deliver(_ bytes: UnsafeRawBufferPointer) {
        var taken = 0
        if waiting.isEmpty {
            unsafe taken = onData(bytes, false)
            notePutDown(taken)
        }
        if taken < bytes.count { waiting.append(unsafe Array(bytes[taken...])) }
    }

    private func notePutDown(_ count: Int) {
        if case .open(let number) = phase { forwards.notePutDown(count, of: number) }
    }

    func drain() {
        if case .plain(let channel) = phase { return channel.drain() }
        let count = unsafe waiting.handOn { bytes in unsafe onData(bytes, false) }
        notePutDown(count)
        if count > 0 { forwards.flush() }
    }

    var remoteEOF: Bool {
        switch phase {
        case .plain(let channel): channel.remoteEOF
        case .over: waiting.isEmpty
        case .asking, .opening, .open: hasEnded && waiting.isEmpty
        }
    }

    var isClosed: Bool {
        switch phase {
        case .plain(let channel): channel.isClosed
        case .over: waiting.isEmpty
        case .asking, .opening, .open: false
        }
    }
}
