internal import Faults
internal import Posix
internal import SSH

/// A place in a connection that a master has (`-O proxy`): channels and ports as a session of our
/// own gives them, but the connection protocol goes over the control socket, in plain text.
///
/// OpenSSH's master hands what is about channels on to the server. Of the requests to the connection
/// as a whole it takes those for ports alone and drops the server's answers; any other ends the
/// client. A master of ours says in its hello that it answers (``MuxHello/proxyAnswers``).
final class ProxiedSession: ChannelCarrier {
    /// What is still to come for a channel that nobody holds any more.
    enum Awaited {
        case answer
        case close
    }

    /// Bytes that may wait for the master before no more data is taken from this side.
    private static let mostOutput = 256 << 10
    /// Messages taken in one turn before others in the loop get theirs.
    private static let messagesPerTurn = 64

    private(set) var failure: SSHError?
    var serverChannels = ServerChannels()
    private(set) var packetsReceived: UInt64 = 0
    private(set) var traffic: (sent: UInt64, received: UInt64) = (0, 0)

    private let socket: MuxSocket
    private let peer: SSHError.Peer
    private let answersRequests: Bool
    private let trace: Trace
    private var channels: [UInt32: WeakChannel] = [:]
    private var awaited: [UInt32: Awaited] = [:]
    private var nextNumber: UInt32 = 0
    private var requests = Requests()
    private var slot: PollSet.Slot?
    /// Whether more may be there than was taken in the last turn.
    private var hasMore = false

    private struct WeakChannel {
        weak var channel: ProxiedChannel?
    }

    /// Takes a control socket whose master has granted the wish.
    /// - Parameters:
    ///   - socket: the control socket.
    ///   - peer: the server as messages name it.
    ///   - answersRequests: whether the master answers global requests.
    ///   - trace: the run's trace.
    init(_ socket: MuxSocket, peer: SSHError.Peer, answersRequests: Bool, trace: Trace) {
        self.socket = socket
        self.peer = peer
        self.answersRequests = answersRequests
        self.trace = trace
    }

    // MARK: - Source

    var deadline: Instant? { hasMore ? readClock() : nil }

    func watch(_ set: inout PollSet) {
        slot = nil
        if failure != nil { return }
        slot = set.watch(socket.number, socket.hasOutput ? [.read, .write] : .read)
    }

    func ready(_ set: PollSet, now: Instant) {
        if failure != nil { return }
        do {
            try socket.flush()
            if !set[slot].isEmpty || hasMore { try hear() }
            try socket.flush()
        } catch let error as MuxMalformed {
            end(.protocolViolation(peer, text: "the master sent a malformed \(error.what)"))
        } catch let error as SystemError where error.kind == .disconnected {
            end(.closed(peer))
        } catch let error as SystemError {
            end(.broken(peer, reason: error.reason))
        } catch {
            end(.broken(peer, reason: "\(error)"))
        }
    }

    private func hear() throws {
        hasMore = false
        for _ in 0..<ProxiedSession.messagesPerTurn {
            switch try socket.receive() {
            case .nothing: return
            case .end: return end(.closed(peer))
            case .message(let packet):
                packetsReceived += 1
                traffic.received += UInt64(packet.count)
                try take(ConnectionMessage(packet: packet))
            }
        }
        hasMore = true
    }

    private func end(_ error: SSHError) {
        failure = error
        for channel in channels.values { channel.channel?.sessionEnded() }
    }

    // MARK: - Channels

    func openSession() -> any Channel { ProxiedChannel(.session, of: self) }

    func openDirectTCP(
        host: String,
        port: UInt16,
        originHost: String,
        originPort: UInt16
    ) -> any Channel {
        let ends = ChannelOpening.ConnectionEnds(
            host: host,
            port: UInt32(port),
            originHost: originHost,
            originPort: UInt32(originPort)
        )
        return ProxiedChannel(.directTCP(ends), of: self)
    }

    func openDirectUnix(path: String) -> any Channel {
        ProxiedChannel(.directUnix(path: path), of: self)
    }

    /// A number that no channel has.
    func takeNumber() -> UInt32 {
        while channels[nextNumber] != nil || awaited[nextNumber] != nil { nextNumber &+= 1 }
        defer { nextNumber &+= 1 }
        return nextNumber
    }

    /// Takes a channel in; it is not kept alive by this.
    func register(_ channel: ProxiedChannel, _ number: UInt32) {
        channels[number] = WeakChannel(channel: channel)
    }

    /// Nobody holds the channel any more.
    func forget(_ number: UInt32, awaiting awaited: Awaited?) {
        channels[number] = nil
        self.awaited[number] = awaited
    }

    /// Bytes of data that may be put out now.
    var room: Int { max(0, ProxiedSession.mostOutput - socket.waitingCount) }

    /// Puts a message out.
    func say(_ message: ConnectionMessage) {
        if failure != nil { return }
        let packet = message.packet
        traffic.sent += UInt64(packet.count)
        socket.send(packet)
    }

    // MARK: - What the master says

    private func take(_ message: ConnectionMessage) throws(MuxMalformed) {
        switch message {
        case .opened(let number, _, _, _), .openFailure(let number, _, _),
            .windowAdjust(let number, _), .data(let number, _), .extendedData(let number, _, _),
            .eof(let number), .close(let number), .request(let number, _, _),
            .success(let number), .failure(let number):
            if let channel = channels[number]?.channel {
                try channel.take(message)
            } else {
                try takeForgotten(message, number)
            }
        case .open(let opening): answer(opening)
        case .requestSuccess(let bytes): requests.settle(.success(bytes))
        case .requestFailure: requests.settle(.failure(.listenRefused))
        case .globalRequest(_, let wantsReply): if wantsReply { say(.requestFailure) }
        case .other: break
        }
    }

    private func takeForgotten(
        _ message: ConnectionMessage,
        _ number: UInt32
    ) throws(MuxMalformed) {
        switch (awaited[number], message) {
        case (.answer, .opened(_, let sender, _, _)):
            say(.close(channel: sender))
            awaited[number] = .close
        case (.answer, .openFailure), (.close, .close): awaited[number] = nil
        case (.close, _): break
        case (.answer, _), (nil, _): throw MuxMalformed(what: "channel")
        }
    }

    private func answer(_ opening: ChannelOpening) {
        guard case .forwardedTCP(let ends) = opening.kind,
            let port = UInt16(exactly: ends.port)
        else {
            let code = ChannelOpening.unknownType
            return say(.openFailure(channel: opening.sender, code: code, text: "unknown type"))
        }
        let request = ServerChannelRequest(
            listener: .init(host: ends.host, port: port),
            originHost: ends.originHost,
            originPort: UInt16(clamping: ends.originPort)
        )
        guard let accept = serverChannels.onForwardedTCP?(request) else {
            let code = ChannelOpening.prohibited
            return say(.openFailure(channel: opening.sender, code: code, text: "open failed"))
        }
        accept(ProxiedChannel(accepting: opening, of: self))
    }

    // MARK: - Ports

    func listen(host: String, port: UInt16) throws(SSHError) -> Attempt<UInt16> {
        if let failure { throw failure }
        beginListening(host: host, port: port)
        let request = GlobalRequest.listen(host: host, port: UInt32(port))
        guard let result = requests.takeResult(of: request) else { return .again }
        let bytes = try result.get()
        if port != 0 { return .done(port) }
        var reader = WireReader(bytes)
        guard let bound = reader.number().flatMap(UInt16.init(exactly:)) else {
            throw .refused("the master does not say which port it is")
        }
        return .done(bound)
    }

    func beginListening(host: String, port: UInt16) {
        begin(.listen(host: host, port: UInt32(port)))
    }

    func cancelListen(host: String, port: UInt16) throws(SSHError) -> Attempt<Bool> {
        if let failure { throw failure }
        // The other master would end us for it.
        if !answersRequests { return .done(false) }
        let request = GlobalRequest.cancelListen(host: host, port: UInt32(port))
        begin(request)
        guard let result = requests.takeResult(of: request) else { return .again }
        guard case .success = result else { return .done(false) }
        return .done(true)
    }

    private func begin(_ request: GlobalRequest) {
        guard requests.begin(request) else { return }
        if answersRequests {
            say(.globalRequest(request, wantsReply: true))
        } else if case .listen(_, 0) = request {
            // Nobody would ever know which port that is.
            requests.settle(.failure(.listenRefused))
        } else {
            // What is not answered counts as granted, as OpenSSH's own client has it.
            say(.globalRequest(request, wantsReply: true))
            requests.settle(.success([]))
        }
    }

    // MARK: - The connection

    func sendKeepalive() {
        if answersRequests {
            requests.beginKeepalive()
            say(.globalRequest(.other(name: "keepalive@openssh.com", []), wantsReply: true))
        } else {
            // The other master would end us for it, and looks after the server itself.
            packetsReceived += 1
        }
    }

    /// The master's business.
    func requestRekey() {}

    /// The master's business.
    func setTrafficClass(_ value: Int32) {}
}

/// Global requests and their answers, which come in the same order.
private struct Requests {
    typealias Result = Swift.Result<[UInt8], SSHError>

    /// nil for a keepalive, whose answer nobody wants.
    private var sent: [GlobalRequest?] = []
    private var results: [(request: GlobalRequest, result: Result)] = []

    /// Notes a request.
    /// - Returns: whether it is to be sent, as it is neither under way nor answered.
    mutating func begin(_ request: GlobalRequest) -> Bool {
        if sent.contains(request) || results.contains(where: { $0.request == request }) {
            return false
        }
        sent.append(request)
        return true
    }

    mutating func beginKeepalive() { sent.append(nil) }

    /// Notes an answer; one that belongs to nothing is left out.
    mutating func settle(_ result: Result) {
        guard !sent.isEmpty, let request = sent.removeFirst() else { return }
        results.append((request, result))
    }

    mutating func takeResult(of request: GlobalRequest) -> Result? {
        results.firstIndex { $0.request == request }.map { results.remove(at: $0).result }
    }
}
