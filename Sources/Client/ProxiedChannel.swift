internal import Posix
internal import SSH

/// A channel of a ``ProxiedSession``.
@safe final class ProxiedChannel: Channel {
    private enum Phase {
        /// Nothing was sent yet.
        case new
        case opening
        case refused(code: UInt32, text: String)
        case open
    }

    /// A request under way.
    private enum Request {
        case sent
        case answered(Bool)
    }

    var onData: (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int = { _, _ in 0 } {
        didSet { drain() }
    }
    private(set) var exitStatus: Int?
    private(set) var exitSignal: ExitSignal?

    private let session: ProxiedSession
    private let kind: ChannelOpening.Kind
    /// The number we gave it.
    private let number: UInt32
    /// The number the other side gave it.
    private var theirs: UInt32 = 0
    private var phase = Phase.new
    private var request: Request?
    private var windows = ChannelWindows()
    private let output = Backlog()
    private let errorOutput = Backlog()
    /// Set while the sink runs, which may ask how much is left but not for more.
    private var isHandingOn = false
    private var hasReceivedEOF = false
    private var hasReceivedClose = false
    private var hasSentEOF = false
    private var hasSentClose = false

    /// Prepares a channel; nothing is sent yet.
    init(_ kind: ChannelOpening.Kind, of session: ProxiedSession) {
        self.kind = kind
        self.session = session
        number = session.takeNumber()
        session.register(self, number)
    }

    /// Accepts a channel of the server's.
    convenience init(accepting opening: ChannelOpening, of session: ProxiedSession) {
        self.init(opening.kind, of: session)
        theirs = opening.sender
        windows.open(window: opening.window, packet: opening.packet)
        phase = .open
        session.say(
            .opened(
                channel: theirs,
                sender: number,
                window: ChannelWindows.granted,
                packet: ChannelWindows.packet
            )
        )
    }

    deinit {
        switch phase {
        case .new, .refused: session.forget(number, awaiting: nil)
        case .opening: session.forget(number, awaiting: .answer)
        case .open:
            if !hasSentClose { session.say(.close(channel: theirs)) }
            session.forget(number, awaiting: hasReceivedClose ? nil : .close)
        }
    }

    // MARK: - Opening

    func open() throws(SSHError) -> Attempt<Void> {
        if let failure = session.failure { throw failure }
        switch phase {
        case .new:
            phase = .opening
            session.say(
                .open(
                    ChannelOpening(
                        kind: kind,
                        sender: number,
                        window: ChannelWindows.granted,
                        packet: ChannelWindows.packet
                    )
                )
            )
            return .again
        case .opening: return .again
        case .refused(let code, let text): throw .openRefused(code: code, text: text)
        case .open: return .done(())
        }
    }

    // MARK: - Requests

    func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        let size = ChannelRequest.PtySize(
            columns: UInt32(clamping: columns),
            rows: UInt32(clamping: rows)
        )
        return try ask(.pty(term: term, size, modes: modes))
    }

    func requestX11(
        protocol name: String,
        cookie: String,
        screen: UInt32
    ) throws(SSHError) -> Attempt<Bool> {
        try ask(.x11(single: false, protocol: name, cookie: cookie, screen: screen))
    }

    func requestAgent() { tell(.agent) }

    /// The answer is not waited for: whether a server takes a variable is its own business.
    func setEnvironment(_ name: String, _ value: String) throws(SSHError) -> Attempt<Bool> {
        if let failure = session.failure { throw failure }
        tell(.variable(name: name, value: value))
        return .done(true)
    }

    func shell() throws(SSHError) -> Attempt<Bool> { try ask(.shell) }

    func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> {
        try ask(.execute(command))
    }

    func subsystem(_ name: String) throws(SSHError) -> Attempt<Bool> { try ask(.subsystem(name)) }

    func changeWindow(columns: Int, rows: Int) {
        tell(
            .windowChange(
                ChannelRequest.PtySize(
                    columns: UInt32(clamping: columns),
                    rows: UInt32(clamping: rows)
                )
            )
        )
    }

    func sendBreak(_ milliseconds: UInt32) { tell(.sendBreak(milliseconds: milliseconds)) }

    func sendSignal(_ name: String) { tell(.signal(name)) }

    private func ask(_ wish: ChannelRequest) throws(SSHError) -> Attempt<Bool> {
        if let failure = session.failure { throw failure }
        switch request {
        case nil:
            guard isUsable else { throw .refused("the channel is closed") }
            session.say(.request(channel: theirs, wish, wantsReply: true))
            request = .sent
            return .again
        case .sent:
            // A server that closes gives no answer any more.
            return hasReceivedClose ? .done(false) : .again
        case .answered(let isAccepted):
            request = nil
            return .done(isAccepted)
        }
    }

    private func tell(_ wish: ChannelRequest) {
        if isUsable { session.say(.request(channel: theirs, wish, wantsReply: false)) }
    }

    /// Whether anything may still be said about it.
    private var isUsable: Bool {
        guard case .open = phase else { return false }
        return !hasReceivedClose && !hasSentClose && session.failure == nil
    }

    // MARK: - Sending

    var canWrite: Bool { isUsable && windows.allowance(for: 1) > 0 && session.room > 0 }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int {
        if let failure = session.failure { throw failure }
        guard isUsable, !hasSentEOF else { throw .refused("the channel is closed") }
        var taken = 0
        while taken < bytes.count {
            let count = min(windows.allowance(for: bytes.count - taken), session.room)
            if count <= 0 { break }
            let portion = unsafe [UInt8](bytes[taken..<(taken + count)])
            session.say(.data(channel: theirs, portion))
            windows.send(count)
            taken += count
        }
        return taken
    }

    func sendEOF() {
        guard isUsable, !hasSentEOF else { return }
        hasSentEOF = true
        session.say(.eof(channel: theirs))
    }

    func close() -> Attempt<Void> {
        guard case .open = phase, !hasSentClose, session.failure == nil else { return .done(()) }
        hasSentClose = true
        session.say(.close(channel: theirs))
        return .done(())
    }

    // MARK: - Receiving

    var remoteEOF: Bool { hasReceivedEOF && isDrained }
    var isClosed: Bool { hasReceivedClose && isDrained }

    private var isDrained: Bool { output.isEmpty && errorOutput.isEmpty }

    func drain() {
        guard !isHandingOn else { return }
        handOn(output, isError: false)
        handOn(errorOutput, isError: true)
    }

    private func handOn(_ backlog: Backlog, isError: Bool) {
        if backlog.isEmpty { return }
        isHandingOn = true
        defer { isHandingOn = false }
        let count = unsafe backlog.handOn { bytes in unsafe onData(bytes, isError) }
        guard let room = windows.putDown(count), isUsable else { return }
        session.say(.windowAdjust(channel: theirs, count: room))
    }

    /// Takes a message that belongs to this channel.
    /// - Throws: ``MuxMalformed`` for what may not come now.
    func take(_ message: ConnectionMessage) throws(MuxMalformed) {
        switch (phase, message) {
        case (.opening, .opened(_, let sender, let window, let packet)):
            theirs = sender
            windows.open(window: window, packet: packet)
            phase = .open
        case (.opening, .openFailure(_, let code, let text)):
            phase = .refused(code: code, text: printable(text))
        case (.open, _): try takeOpen(message)
        default: throw MuxMalformed(what: "channel \(number)")
        }
    }

    private func takeOpen(_ message: ConnectionMessage) throws(MuxMalformed) {
        switch message {
        case .windowAdjust(_, let count): try windows.widen(by: count)
        case .data(_, let bytes):
            try windows.receive(bytes.count)
            output.append(bytes)
            drain()
        case .extendedData(_, ConnectionMessage.standardError, let bytes):
            try windows.receive(bytes.count)
            errorOutput.append(bytes)
            drain()
        case .extendedData(_, _, let bytes):
            try windows.receive(bytes.count)
            _ = windows.putDown(bytes.count)
        case .eof: hasReceivedEOF = true
        case .close:
            hasReceivedEOF = true
            hasReceivedClose = true
        case .request(_, let request, let wantsReply): answer(request, wantsReply)
        case .success: try takeAnswer(true)
        case .failure: try takeAnswer(false)
        default: throw MuxMalformed(what: "channel \(number)")
        }
    }

    private func answer(_ request: ChannelRequest, _ wantsReply: Bool) {
        switch request {
        case .exitStatus(let status): exitStatus = Int(status)
        case .exitSignal(let name, let coreDumped, let message, _):
            exitSignal = ExitSignal(name: name, coreDumped: coreDumped, message: message)
        default:
            // A server's keepalive among them, which takes any answer.
            if wantsReply && isUsable { session.say(.failure(channel: theirs)) }
            return
        }
        if wantsReply && isUsable { session.say(.success(channel: theirs)) }
    }

    private func takeAnswer(_ isAccepted: Bool) throws(MuxMalformed) {
        guard case .sent = request else { throw MuxMalformed(what: "answer") }
        request = .answered(isAccepted)
    }

    /// The connection is over.
    func sessionEnded() { hasReceivedEOF = true }
}
