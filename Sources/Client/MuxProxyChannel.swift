internal import Posix
internal import SSH

/// A channel of a proxy client's: its messages on one side, a channel of the master's on the other.
///
/// Valid transitions are:
///
///     asked for by the client: opening ──▶ open ──▶ closing ──▶ ended
///     opened by the server:    offered ──▶ open ──▶ closing ──▶ ended
///
/// What the client sends is done in its order: what needs an answer of the server's holds up what
/// comes after it, as the windows bound that.
final class MuxProxyChannel {
    private enum Phase {
        /// The server was asked.
        case opening
        /// The client was asked.
        case offered
        case open
        /// The client has closed it, or gone: the server is told, and what it still says is dropped.
        case closing
        case ended
    }

    private enum Item {
        case data(ArraySlice<UInt8>)
        case request(ChannelRequest, wantsReply: Bool)
        case eof
        case close
    }

    /// The number that the client sends to.
    let number: UInt32
    /// Requests that wait for their turn.
    private(set) var waitingRequests = 0

    private let channel: any Channel
    private unowned let proxy: MuxProxy
    /// The number that the client knows it by.
    private var theirs: UInt32 = 0
    private var windows = ChannelWindows()
    private var phase: Phase
    private var items: [Item] = []
    private var hasSentEOF = false
    private var hasSentEnding = false
    private var hasSentClose = false
    private var hasReceivedClose = false
    private var isClosedHere = false

    /// Begins a channel that the client asks for.
    init(_ opening: ChannelOpening, _ channel: any Channel, number: UInt32, of proxy: MuxProxy) {
        self.channel = channel
        self.number = number
        self.proxy = proxy
        theirs = opening.sender
        windows.open(window: opening.window, packet: opening.packet)
        phase = .opening
    }

    /// Begins a channel that the server has opened; the client is asked whether it wants it.
    init(offering channel: any Channel, number: UInt32, of proxy: MuxProxy) {
        self.channel = channel
        self.number = number
        self.proxy = proxy
        phase = .offered
    }

    /// Whether nothing more is to be said of it by any side.
    var hasEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    // MARK: - What the client says

    /// Takes a message of the client's that belongs to this channel.
    /// - Throws: ``MuxMalformed`` for what may not come now.
    func take(_ message: ConnectionMessage) throws(MuxMalformed) {
        switch (phase, message) {
        case (.offered, .opened(_, let sender, let window, let packet)):
            theirs = sender
            windows.open(window: window, packet: packet)
            begin()
        case (.offered, .openFailure): abandon()
        case (.opening, _), (.offered, _), (.ended, _):
            throw MuxMalformed(what: "channel \(number)")
        case (_, .windowAdjust(_, let count)): try windows.widen(by: count)
        case (.closing, .data(_, let bytes)), (.closing, .extendedData(_, _, let bytes)):
            try windows.receive(bytes.count)
        case (.closing, .request), (.closing, .eof): break
        case (_, .data(_, let bytes)):
            try windows.receive(bytes.count)
            items.append(.data(bytes[...]))
        case (_, .extendedData(_, _, let bytes)):
            // There is no second stream towards a server (RFC 4254 §5.2).
            try windows.receive(bytes.count)
            giveBack(bytes.count)
        case (_, .request(_, let request, let wantsReply)):
            items.append(.request(request, wantsReply: wantsReply))
            waitingRequests += 1
        case (_, .eof): items.append(.eof)
        case (_, .close):
            if hasReceivedClose { throw MuxMalformed(what: "second close") }
            hasReceivedClose = true
            items.append(.close)
        // We ask for nothing that has an answer.
        case (_, .success), (_, .failure): break
        default: throw MuxMalformed(what: "channel \(number)")
        }
    }

    /// The client has gone, or does not want the channel.
    func abandon() {
        items = []
        waitingRequests = 0
        hasReceivedClose = true
        hasSentClose = true
        switch phase {
        // What has begun to open can only be closed when it is open.
        case .opening, .ended: break
        case .offered, .open, .closing: beginClosing()
        }
    }

    // MARK: - The loop

    /// Goes on as far as both sides let it.
    func step() {
        if case .opening = phase { goOnOpening() }
        if case .open = phase { relay() }
        if case .closing = phase { goOnClosing() }
    }

    private func goOnOpening() {
        do throws(SSHError) {
            guard case .done = try channel.open() else { return }
        } catch {
            if !hasSentClose { refuse(error) }
            phase = .ended
            return
        }
        if hasReceivedClose { return beginClosing() }
        proxy.say(
            .opened(
                channel: theirs,
                sender: number,
                window: ChannelWindows.granted,
                packet: ChannelWindows.packet
            )
        )
        begin()
    }

    private func refuse(_ error: SSHError) {
        if case .openRefused(let code, let text) = error {
            proxy.say(.openFailure(channel: theirs, code: code, text: text))
        } else {
            let code = ChannelOpening.connectFailed
            proxy.say(.openFailure(channel: theirs, code: code, text: error.summary))
        }
    }

    private func begin() {
        phase = .open
        unsafe channel.onData = { [unowned self] bytes, isError in
            unsafe deliver(bytes, isError: isError)
        }
    }

    private func relay() {
        performItems()
        guard case .open = phase else { return }
        channel.drain()
        sayEnding()
        if channel.remoteEOF && !hasSentEOF {
            hasSentEOF = true
            proxy.say(.eof(channel: theirs))
        }
        if channel.isClosed {
            items = []
            waitingRequests = 0
            beginClosing()
        }
    }

    private func sayEnding() {
        if hasSentEnding || hasSentClose { return }
        let request: ChannelRequest
        if let status = channel.exitStatus {
            request = .exitStatus(UInt32(truncatingIfNeeded: status))
        } else if let signal = channel.exitSignal {
            request = .exitSignal(
                name: signal.name,
                coreDumped: signal.coreDumped,
                message: signal.message,
                language: ""
            )
        } else {
            return
        }
        hasSentEnding = true
        proxy.say(.request(channel: theirs, request, wantsReply: false))
    }

    private func beginClosing() {
        phase = .closing
        unsafe channel.onData = { bytes, _ in bytes.count }
        goOnClosing()
    }

    /// Both sides get their CLOSE; the client's comes when the server's has.
    private func goOnClosing() {
        if !isClosedHere, case .done = channel.close() { isClosedHere = true }
        channel.drain()
        if channel.isClosed && !hasSentClose {
            sayEnding()
            hasSentClose = true
            proxy.say(.close(channel: theirs))
        }
        // A client that has not closed yet may still send to the number.
        if isClosedHere && hasSentClose && hasReceivedClose { phase = .ended }
    }

    // MARK: - To the server

    private func performItems() {
        var done = 0
        while done < items.count, case .open = phase, perform(at: done) { done += 1 }
        items.removeFirst(min(done, items.count))
    }

    /// - Returns: whether the next may be begun.
    private func perform(at index: Int) -> Bool {
        switch items[index] {
        case .data(let bytes):
            let rest = write(bytes)
            items[index] = .data(rest)
            return rest.isEmpty
        case .request(let request, let wantsReply):
            guard case .done(let isAccepted) = ask(request) else { return false }
            waitingRequests -= 1
            if wantsReply {
                proxy.say(isAccepted ? .success(channel: theirs) : .failure(channel: theirs))
            }
            return true
        case .eof:
            channel.sendEOF()
            return true
        case .close:
            beginClosing()
            return true
        }
    }

    /// - Returns: what the server does not take now; none when it takes nothing any more.
    private func write(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { bytes in
                Result { () throws(SSHError) in unsafe try channel.write(bytes) }
            }
            // Nobody will ever take it: the server has closed, or was told of the end.
            guard case .success(let count) = written else {
                giveBack(rest.count)
                return []
            }
            if count == 0 { break }
            giveBack(count)
            rest = rest.dropFirst(count)
        }
        return rest
    }

    private func giveBack(_ count: Int) {
        guard let room = windows.putDown(count), !hasSentClose else { return }
        proxy.say(.windowAdjust(channel: theirs, count: room))
    }

    private func ask(_ request: ChannelRequest) -> Attempt<Bool> {
        do throws(SSHError) {
            return try proxy.ask(channel, request)
        } catch {
            return .done(false)
        }
    }

    // MARK: - From the server

    /// The channel's callback: what is not taken is offered again by `drain`.
    private func deliver(_ bytes: UnsafeRawBufferPointer, isError: Bool) -> Int {
        var taken = 0
        while taken < bytes.count {
            let allowed = windows.allowance(for: bytes.count - taken)
            if allowed <= 0 { break }
            let count = min(allowed, proxy.room)
            if count <= 0 {
                proxy.holdUp()
                break
            }
            let portion = unsafe [UInt8](bytes[taken..<(taken + count)])
            windows.send(count)
            proxy.say(
                isError
                    ? .extendedData(
                        channel: theirs,
                        type: ConnectionMessage.standardError,
                        portion
                    )
                    : .data(channel: theirs, portion)
            )
            taken += count
        }
        return taken
    }
}
