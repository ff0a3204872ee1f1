internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// One connection through the login: a channel on one side, a socket of this machine on the other.
///
/// Valid transitions are:
///
///     local:  clientAsks ──▶ opening ──▶ relaying ──▶ closing ──▶ ended
///     remote: serverAsks ──▶ connecting ──▶ relaying ──▶ closing ──▶ ended
///
/// where the first is left out unless the forward is dynamic; all lead to the end when it fails.
final class ForwardedConnection: ChannelUser {
    private enum Phase {
        /// A SOCKS client of this side has not said yet where to.
        case clientAsks(SocketEnd, Socks)
        /// The server was asked to connect; what the client is then told, and the server given.
        case opening(any Channel, SocketEnd, reply: [UInt8], rest: [UInt8])
        /// A SOCKS client of the server's side has not said yet where to.
        case serverAsks(any Channel, Socks)
        /// A connection is made on this side; what the client is told, and the target given.
        case connecting(any Channel, LocalTarget, reply: [UInt8], rest: [UInt8])
        case relaying(any Channel, ChannelPump)
        case closing(any Channel)
        case ended
    }

    /// What is said to be where in `~#` and in messages.
    struct Names {
        /// The kind of channel, such as `direct-tcpip`.
        var kind: String
        /// The port that took the connection.
        var listeningPort: Int
        /// Where it comes from, when only the server knows.
        var origin: String?
    }

    /// A SOCKS request is never longer than this.
    private static let longestRequest = 4096

    let keepsConnection = true
    /// At once when something is known that no event tells of.
    var deadline: Instant? {
        guard case .connecting(_, let target, _, _) = phase, target.failure != nil else {
            return nil
        }
        return readClock()
    }

    private unowned let loggedIn: LoggedIn
    private var names: Names
    private var target: (host: String, port: Int) = ("", 0)
    private var phase: Phase
    /// The number in messages; as long as it is in the list of channels.
    private var number = -1
    private var slot: PollSet.Slot?
    /// What came of a request on a channel, and what goes back.
    private var asked: [UInt8] = []
    private var answer: [UInt8] = []
    /// Where a SOCKS client of the server's side may connect to.
    private var permits: (_ host: String, _ port: UInt16) -> Bool = { _, _ in true }

    private var session: any ChannelCarrier { loggedIn.session }
    private var trace: Trace { loggedIn.context.trace }

    private init(_ loggedIn: LoggedIn, _ names: Names, _ phase: Phase) {
        self.loggedIn = loggedIn
        self.names = names
        self.phase = phase
    }

    /// Takes a connection of this side, and begins at once.
    /// - Parameters:
    ///   - socket: the connection.
    ///   - destination: where the server is to connect it to.
    ///   - port: the port that took it; for a Unix socket OpenSSH's number, -2.
    ///   - loggedIn: the login it goes through.
    static func begin(
        _ socket: SocketEnd,
        to destination: Forward.Destination,
        listeningPort port: Int,
        over loggedIn: LoggedIn
    ) {
        let names = Names(kind: "dynamic-tcpip", listeningPort: port)
        let connection = ForwardedConnection(loggedIn, names, .ended)
        connection.number = loggedIn.channels.add(connection)
        switch destination {
        case .socks: connection.phase = .clientAsks(socket, Socks())
        case .tcp(let host, let port): connection.open(host, port, for: socket)
        case .unix(let path): connection.open(path, for: socket)
        }
    }

    /// Takes a channel of the server's, and begins at once.
    /// - Parameters:
    ///   - channel: the open channel.
    ///   - place: where it leads on this side.
    ///   - names: for messages.
    ///   - loggedIn: the login it came through.
    static func begin(
        _ channel: any Channel,
        to place: LocalTarget.Place,
        names: Names,
        over loggedIn: LoggedIn
    ) {
        let connection = ForwardedConnection(loggedIn, names, .ended)
        connection.number = loggedIn.channels.add(connection)
        connection.connect(channel, to: place)
    }

    /// Takes a channel of the server's whose client says where to, in SOCKS.
    /// - Parameters:
    ///   - channel: the open channel.
    ///   - names: for messages.
    ///   - loggedIn: the login it came through.
    ///   - permits: where it may lead.
    static func beginDynamic(
        _ channel: any Channel,
        names: Names,
        over loggedIn: LoggedIn,
        permits: @escaping (_ host: String, _ port: UInt16) -> Bool
    ) {
        let connection = ForwardedConnection(loggedIn, names, .serverAsks(channel, Socks()))
        connection.permits = permits
        connection.number = loggedIn.channels.add(connection)
        unsafe channel.onData = { [unowned connection] bytes, _ in
            let room = ForwardedConnection.longestRequest - connection.asked.count
            unsafe connection.asked += bytes.prefix(room)
            return min(room, bytes.count)
        }
    }

    // MARK: - Source

    func watch(_ set: inout PollSet) {
        slot = nil
        switch phase {
        case .clientAsks(let socket, _):
            slot = socket.number.map { set.watch($0, answer.isEmpty ? .read : [.read, .write]) }
        case .connecting(_, let target, _, _): target.watch(&set)
        case .relaying(_, let pump): pump.watch(&set)
        case .opening, .serverAsks, .closing, .ended: break
        }
    }

    func ready(_ set: PollSet, now: Instant) {
        switch phase {
        case .clientAsks(let socket, let socks):
            if !set[slot].isEmpty { hear(socket, socks) }
        case .opening(let channel, let socket, let reply, let rest):
            goOnOpening(channel, socket, reply, rest)
        case .serverAsks(let channel, let socks): hear(channel, socks)
        case .connecting(let channel, let target, let reply, let rest):
            goOnConnecting(channel, target, set, reply, rest)
        case .relaying(let channel, let pump):
            pump.ready(set)
            if pump.isFinished { close(channel) }
        case .closing(let channel): close(channel)
        case .ended: break
        }
    }

    private func close(_ channel: any Channel) {
        phase = .closing(channel)
        if case .done = channel.close() { end() }
    }

    private func end() {
        phase = .ended
        loggedIn.channels.remove(self)
    }

    // MARK: - From this side

    private func hear(_ socket: SocketEnd, _ socks: Socks) {
        var socks = socks
        do throws(SystemError) {
            if !answer.isEmpty, case .done(let count) = try socket.write(answer) {
                answer.removeFirst(count)
            }
            let read = try socket.read(most: ForwardedConnection.longestRequest)
            guard case .done(let bytes) = read else { return }
            if bytes.isEmpty { return end() }
            switch socks.take(bytes) {
            case .more(let reply):
                answer += reply
                phase = .clientAsks(socket, socks)
            case .connect(let host, let port, let reply, let rest):
                open(host, Int(port), for: socket, reply: answer + reply, rest: rest)
            case .failed(let reason):
                trace.debug(.debug1, .channel, "channel \(number): SOCKS: \(reason)")
                end()
            }
        } catch {
            end()
        }
    }

    private func open(
        _ host: String,
        _ port: Int,
        for socket: SocketEnd,
        reply: [UInt8] = [],
        rest: [UInt8] = []
    ) {
        names.kind = "direct-tcpip"
        target = (host, port)
        let origin = socket.number.flatMap { try? peerAddress(of: $0) }
        let isTCP = origin.map { $0.family != .local } ?? false
        let channel = session.openForward(
            to: .tcp(host: host, port: UInt16(clamping: port)),
            from: isTCP
                ? ForwardOrigin(host: origin?.host ?? "", port: origin?.port ?? 65535) : .unknown
        )
        goOnOpening(channel, socket, reply, rest)
    }

    private func open(_ path: String, for socket: SocketEnd) {
        names.kind = "direct-streamlocal@openssh.com"
        target = (path, ForwardWords.unixPort)
        goOnOpening(session.openForward(to: .unix(path: path), from: .unknown), socket, [], [])
    }

    private func goOnOpening(
        _ channel: any Channel,
        _ socket: SocketEnd,
        _ reply: [UInt8],
        _ rest: [UInt8]
    ) {
        phase = .opening(channel, socket, reply: reply, rest: rest)
        do throws(SSHError) {
            guard case .done = try channel.open() else { return }
            let pump = ChannelPump(channel, socket, toSocket: reply, toChannel: rest)
            phase = .relaying(channel, pump)
        } catch {
            if case .openRefused(let code, let text) = error {
                trace.say(.info, ForwardWords.openFailed(number, code, text))
            }
            end()
        }
    }

    // MARK: - From the server's side

    private func hear(_ channel: any Channel, _ socks: Socks) {
        tell(channel)
        channel.drain()
        if asked.isEmpty {
            if channel.remoteEOF { close(channel) }
            return
        }
        var socks = socks
        let step = socks.take(asked)
        asked = []
        switch step {
        case .more(let reply):
            answer += reply
            phase = .serverAsks(channel, socks)
            tell(channel)
        case .connect(let host, let port, let reply, let rest) where permits(host, port):
            connect(channel, to: .tcp(host: host, port: port), answer + reply, rest)
        case .connect(let host, let port, _, _):
            trace.debug(.debug1, .channel, "\(host) port \(port) is not permitted")
            close(channel)
        case .failed(let reason):
            trace.debug(.debug1, .channel, "channel \(number): SOCKS: \(reason)")
            close(channel)
        }
    }

    /// Sends what the client is to be told, as far as it goes now.
    private func tell(_ channel: any Channel) {
        guard !answer.isEmpty else { return }
        let taken = unsafe answer.withUnsafeBytes { unsafe try? channel.write($0) }
        answer.removeFirst(taken ?? answer.count)
    }

    private func connect(
        _ channel: any Channel,
        to place: LocalTarget.Place,
        _ reply: [UInt8] = [],
        _ rest: [UInt8] = []
    ) {
        // What comes meanwhile stays with the channel.
        unsafe channel.onData = { _, _ in 0 }
        let family = loggedIn.plan.options.addressFamily.socketFamily
        let target = LocalTarget(place, family: family, trace: trace)
        phase = .connecting(channel, target, reply: reply, rest: rest)
    }

    private func goOnConnecting(
        _ channel: any Channel,
        _ target: LocalTarget,
        _ set: PollSet,
        _ reply: [UInt8],
        _ rest: [UInt8]
    ) {
        switch target.step(set) {
        case nil: if channel.isClosed { close(channel) }
        case .connected(let socket):
            let pump = ChannelPump(channel, socket, toSocket: rest, toChannel: reply)
            phase = .relaying(channel, pump)
        case .failed(let line):
            trace.say(.error, line)
            unsafe channel.onData = { bytes, _ in bytes.count }
            close(channel)
        }
    }

    // MARK: - What it is

    /// As OpenSSH has it in `~#`, less what only OpenSSH's own channels know.
    var description: String { "\(remoteName) (t\(type) [\(names.kind)]\(descriptors))" }

    private var remoteName: String {
        if let origin = names.origin { return origin }
        guard !target.host.isEmpty else { return names.kind }
        let ends = socket?.number.map { number in
            "connect from \(ForwardWords.end(try? peerAddress(of: number), isPeer: true)) "
                + "to \(ForwardWords.end(try? localAddress(of: number), isPeer: false))"
        }
        return "\(names.kind): listening port \(names.listeningPort) for \(target.host) "
            + "port \(target.port), \(ends ?? "")"
    }

    private var socket: SocketEnd? {
        switch phase {
        case .clientAsks(let socket, _), .opening(_, let socket, _, _): socket
        case .relaying(_, let pump): pump.socket
        default: nil
        }
    }

    private var descriptors: String {
        socket?.number.map { " fd \($0)/\($0)/-1 sock \($0) cc -1" } ?? " fd -1/-1/-1 sock -1 cc -1"
    }

    /// OpenSSH's number of the state (channels.h).
    private var type: Int {
        switch phase {
        case .clientAsks: 13
        case .opening: 3
        case .serverAsks: 22
        case .connecting: 12
        case .relaying, .closing, .ended: 4
        }
    }
}
