internal import Posix
internal import SSH

/// What a proxy client asks of the connection as a whole: ports to listen on.
///
/// Answers come in the order of the requests (RFC 4254 §4).
struct MuxProxyRequests {
    private let session: any ChannelCarrier
    private var waiting: [(request: GlobalRequest, wantsReply: Bool)] = []
    /// Where the server listens for this client.
    private var listeners: Set<Listener> = []
    /// Where it was asked to; a connection may come before the answer.
    private var asked: Listener?
    private var hasLeft = false

    private struct Listener: Hashable {
        let host: String
        let port: UInt16
    }

    /// - Parameter session: what is asked.
    init(_ session: any ChannelCarrier) { self.session = session }

    /// Requests that have not been answered.
    var count: Int { waiting.count }
    /// Whether nothing is left to be asked or taken back.
    var isEmpty: Bool { waiting.isEmpty }

    /// Whether a port is the client's.
    func listens(_ listener: ServerChannelRequest.Listener) -> Bool {
        let listener = Listener(host: listener.host, port: listener.port)
        return listeners.contains(listener) || asked == listener
    }

    /// Takes a request.
    mutating func add(_ request: GlobalRequest, _ wantsReply: Bool) {
        waiting.append((request, wantsReply))
    }

    /// Takes back what the client has asked for.
    mutating func abandon() {
        hasLeft = true
        // Of the others only one that is under way may have an effect.
        waiting = waiting.prefix(1).map { ($0.request, false) }
        for listener in listeners { cancelLater(listener) }
    }

    private mutating func cancelLater(_ listener: Listener) {
        waiting.append((.cancelListen(host: listener.host, port: UInt32(listener.port)), false))
    }

    /// Goes on as far as the server has answered.
    /// - Parameter say: puts an answer out.
    mutating func step(_ say: (ConnectionMessage) -> Void) {
        while let (request, wantsReply) = waiting.first {
            guard case .done(let answer) = perform(request) else { return }
            waiting.removeFirst()
            if wantsReply { say(answer) }
        }
    }

    private mutating func perform(_ request: GlobalRequest) -> Attempt<ConnectionMessage> {
        switch request {
        case .listen(let host, let port): listen(host, port)
        case .cancelListen(let host, let port): cancel(host, port)
        // As sshd answers a keepalive.
        case .other: .done(.requestFailure)
        }
    }

    private mutating func listen(_ host: String, _ port: UInt32) -> Attempt<ConnectionMessage> {
        guard let port = UInt16(exactly: port) else { return .done(.requestFailure) }
        let wanted = Listener(host: host, port: port)
        if listeners.contains(wanted) { return .done(.requestFailure) }
        asked = wanted
        do throws(SSHError) {
            guard case .done(let bound) = try session.listen(host: host, port: port) else {
                return .again
            }
            asked = nil
            let listener = Listener(host: host, port: bound)
            listeners.insert(listener)
            if hasLeft { cancelLater(listener) }
            if port != 0 { return .done(.requestSuccess([])) }
            var writer = WireWriter()
            writer.number(UInt32(bound))
            return .done(.requestSuccess(writer.bytes))
        } catch {
            asked = nil
            return .done(.requestFailure)
        }
    }

    private mutating func cancel(_ host: String, _ port: UInt32) -> Attempt<ConnectionMessage> {
        guard let port = UInt16(exactly: port) else { return .done(.requestFailure) }
        let listener = Listener(host: host, port: port)
        guard listeners.contains(listener) else { return .done(.requestFailure) }
        let answer = try? session.cancelListen(host: host, port: port)
        if case .again = answer { return .again }
        listeners.remove(listener)
        guard case .done(true) = answer else { return .done(.requestFailure) }
        return .done(.requestSuccess([]))
    }
}
