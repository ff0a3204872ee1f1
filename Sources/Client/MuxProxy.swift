internal import Faults
internal import Posix
internal import SSH

/// A proxy client of a master (`ssh -O proxy`): it speaks the connection protocol with us as if we
/// were the server (PROTOCOL.mux §9).
///
/// OpenSSH's master hands its packets on with other numbers. libssh has no way to send a packet of
/// somebody else's, so here the protocol ends, and each of the client's channels is one of ours.
/// Requests that concern the connection as a whole and others on it (`no-more-sessions`, what is
/// about host keys) are refused; a keepalive is answered in the server's words.
final class MuxProxy: ChannelUser {
    let description = "mux-proxy"
    let keepsConnection = true

    /// Bytes that may wait for the client before no more data is taken from the server.
    private static let mostOutput = 256 << 10
    /// Answers may come beyond that; a client that reads none of them is not asked for more.
    private static let mostAnswers = 2 * mostOutput
    /// As OpenSSH's CHANNELS_MAX_CHANNELS.
    private static let mostChannels = 10_000
    /// Requests that a client may have under way.
    private static let mostRequests = 4096
    /// Messages taken in one turn before others in the loop get theirs.
    private static let messagesPerTurn = 64

    private let socket: MuxSocket
    private unowned let master: MuxMaster
    private var channels: [UInt32: MuxProxyChannel] = [:]
    private var nextNumber: UInt32 = 0
    private var requests: MuxProxyRequests
    private var hasLeft = false
    /// Whether a channel had data that there was no ``room`` for in this turn.
    private var isHeldUp = false
    private var slot: PollSet.Slot?

    private var loggedIn: LoggedIn { master.loggedIn }
    private var trace: Trace { loggedIn.context.trace }

    /// Takes a client over that was granted its wish.
    /// - Parameters:
    ///   - socket: its connection.
    ///   - master: whose connection it shares.
    init(_ socket: MuxSocket, of master: MuxMaster) {
        self.socket = socket
        self.master = master
        requests = MuxProxyRequests(master.loggedIn.session)
    }

    // MARK: - Source

    /// At once when all was written after a channel was held up: no event tells of that.
    var deadline: Instant? { isHeldUp && room > 0 && !hasLeft ? readClock() : nil }

    func watch(_ set: inout PollSet) {
        slot = nil
        if hasLeft { return }
        var events: Events = socket.hasOutput ? .write : []
        if mayRead { events.insert(.read) }
        slot = set.watch(socket.number, events)
    }

    private var mayRead: Bool {
        socket.waitingCount < MuxProxy.mostAnswers
            && channels.values.reduce(requests.count) { $0 + $1.waitingRequests }
                < MuxProxy.mostRequests
    }

    func ready(_ set: PollSet, now: Instant) {
        do {
            if !hasLeft {
                try socket.flush()
                if !set[slot].isEmpty { try hear() }
            }
        } catch let error as MuxMalformed {
            trace.say(.error, "channel_proxy_downstream: malformed message: \(error.what)")
            leave()
        } catch {
            trace.debug(.debug2, .local, "mux proxy: \(error)")
            leave()
        }
        requests.step(say)
        isHeldUp = false
        for channel in channels.values {
            channel.step()
            if channel.hasEnded { channels[channel.number] = nil }
        }
        if hasLeft {
            if channels.isEmpty && requests.isEmpty { master.finish(self) }
        } else {
            do throws(SystemError) { try socket.flush() } catch { leave() }
        }
    }

    private func hear() throws {
        for _ in 0..<MuxProxy.messagesPerTurn where mayRead {
            switch try socket.receive() {
            case .nothing: return
            case .end: return leave()
            case .message(let packet): try take(ConnectionMessage(packet: packet))
            }
        }
    }

    /// The client has gone, or is to go: what it has begun ends with it.
    private func leave() {
        hasLeft = true
        requests.abandon()
        for channel in channels.values { channel.abandon() }
    }

    // MARK: - What the client says

    private func take(_ message: ConnectionMessage) throws(MuxMalformed) {
        switch message {
        case .globalRequest(let request, let wantsReply): requests.add(request, wantsReply)
        case .open(let opening): open(opening)
        case .opened(let number, _, _, _), .openFailure(let number, _, _),
            .windowAdjust(let number, _), .data(let number, _), .extendedData(let number, _, _),
            .eof(let number), .close(let number), .request(let number, _, _),
            .success(let number), .failure(let number):
            guard let channel = channels[number] else { throw MuxMalformed(what: "channel") }
            try channel.take(message)
        // We ask the connection as a whole for nothing.
        case .requestSuccess, .requestFailure: break
        case .other(let type, _):
            // OpenSSH's clients send none of the transport's messages over a control socket.
            trace.debug(.debug1, .local, "mux proxy: message of type \(type) left out")
        }
    }

    private func open(_ opening: ChannelOpening) {
        guard channels.count < MuxProxy.mostChannels else {
            return refuse(opening, ChannelOpening.resourceShortage, "too many channels")
        }
        let channel: any Channel
        switch opening.kind {
        case .session: channel = loggedIn.session.openSession()
        case .directTCP(let ends):
            guard let port = UInt16(exactly: ends.port) else {
                return refuse(opening, ChannelOpening.connectFailed, "bad port")
            }
            channel = loggedIn.session.openDirectTCP(
                host: ends.host,
                port: port,
                originHost: ends.originHost,
                originPort: UInt16(clamping: ends.originPort)
            )
        case .directUnix(let path): channel = loggedIn.session.openDirectUnix(path: path)
        case .forwardedTCP, .other:
            return refuse(opening, ChannelOpening.unknownType, "unknown channel type")
        }
        let number = takeNumber()
        channels[number] = MuxProxyChannel(opening, channel, number: number, of: self)
    }

    private func refuse(_ opening: ChannelOpening, _ code: UInt32, _ text: String) {
        say(.openFailure(channel: opening.sender, code: code, text: text))
    }

    private func takeNumber() -> UInt32 {
        while channels[nextNumber] != nil { nextNumber &+= 1 }
        defer { nextNumber &+= 1 }
        return nextNumber
    }

    // MARK: - What it is told

    /// Bytes of data that may be put out for the client now.
    var room: Int { max(0, MuxProxy.mostOutput - socket.waitingCount) }

    /// Notes that a channel has data for which there is no ``room``.
    func holdUp() { isHeldUp = true }

    /// Puts a message out.
    func say(_ message: ConnectionMessage) {
        if !hasLeft { socket.send(message.packet) }
    }

    /// Asks the server for what a client wants of a channel; called again until it is done.
    func ask(
        _ channel: any Channel,
        _ request: ChannelRequest
    ) throws(SSHError) -> Attempt<Bool> {
        switch request {
        case .pty(let term, let size, let modes):
            return try channel.requestPty(
                term: term,
                columns: Int(Int32(clamping: size.columns)),
                rows: Int(Int32(clamping: size.rows)),
                modes: modes
            )
        case .x11:
            // The server's X clients come to the master, which knows but one cookie.
            guard let x11 = loggedIn.access.x11Request() else { return .done(false) }
            return try channel.requestX11(
                protocol: x11.cookie.name,
                cookie: x11.cookie.hexadecimal,
                screen: x11.screen
            )
        case .agent:
            guard loggedIn.access.hasAgent else { return .done(false) }
            channel.requestAgent()
        case .variable(let name, let value): return try channel.setEnvironment(name, value)
        case .shell: return try channel.shell()
        case .execute(let command): return try channel.execute(command)
        case .subsystem(let name): return try channel.subsystem(name)
        case .windowChange(let size):
            channel.changeWindow(
                columns: Int(Int32(clamping: size.columns)),
                rows: Int(Int32(clamping: size.rows))
            )
        case .signal(let name): channel.sendSignal(name)
        case .sendBreak(let milliseconds): channel.sendBreak(milliseconds)
        case .exitStatus, .exitSignal, .other: return .done(false)
        }
        return .done(true)
    }

    // MARK: - What the server opens

    /// Offers the client a connection to one of its ports.
    /// - Returns: what is to be done with the channel; nil when the client does not listen there.
    func offer(_ request: ServerChannelRequest) -> ((any Channel) -> Void)? {
        guard !hasLeft, channels.count < MuxProxy.mostChannels,
            let listener = request.listener, requests.listens(listener)
        else { return nil }
        let ends = ChannelOpening.ConnectionEnds(
            host: listener.host,
            port: UInt32(listener.port),
            originHost: request.originHost,
            originPort: UInt32(request.originPort)
        )
        return { [weak self] channel in
            guard let self else { return }
            let number = takeNumber()
            channels[number] = MuxProxyChannel(offering: channel, number: number, of: self)
            say(
                .open(
                    ChannelOpening(
                        kind: .forwardedTCP(ends),
                        sender: number,
                        window: ChannelWindows.granted,
                        packet: ChannelWindows.packet
                    )
                )
            )
        }
    }
}
