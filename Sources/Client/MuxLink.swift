internal import Faults
internal import Posix

/// A client's connection to a master: it asks, and waits for the answers.
final class MuxLink: Source {
    let deadline: Instant? = nil
    /// Called before each look at what has come; what it throws ends the waiting.
    var onWait: () throws -> Void = {}

    private let socket: MuxSocket
    private let poller: Poller
    private let trace: Trace
    private var slot: PollSet.Slot?
    private var nextID: UInt32 = 0
    /// The master's hello, once it has come.
    private(set) var greeting: MuxHello?

    /// Begins with our hello, which is on its way before the master's has come.
    /// - Parameters:
    ///   - descriptor: the connected control socket.
    ///   - poller: the loop to wait in.
    ///   - trace: the run's trace.
    /// - Throws: ``SystemError``.
    init(_ descriptor: consuming Descriptor, in poller: Poller, trace: Trace) throws(SystemError) {
        socket = try MuxSocket(descriptor)
        self.poller = poller
        self.trace = trace
        poller.add(self)
        socket.send(MuxRequest.hello(MuxHello()).body)
    }

    /// Takes the connection out of the loop.
    func leave() { poller.remove(self) }

    /// Leaves the connection to who goes on with it.
    func giveAway() -> MuxSocket {
        leave()
        return socket
    }

    // MARK: - Source

    func watch(_ set: inout PollSet) {
        slot = set.watch(socket.number, socket.hasOutput ? [.read, .write] : .read)
    }

    func ready(_ set: PollSet, now: Instant) {}

    // MARK: - Asking

    /// Puts a question out; it is written with the next wait.
    /// - Parameters:
    ///   - descriptors: what follows it.
    ///   - make: makes it with its id.
    /// - Returns: the id.
    @discardableResult
    func send(passing descriptors: [Int32] = [], _ make: (UInt32) -> MuxRequest) -> UInt32 {
        defer { nextID &+= 1 }
        socket.send(make(nextID).body)
        descriptors.forEach(socket.send(descriptor:))
        return nextID
    }

    /// Waits for the master's hello.
    /// - Returns: false when it is no master we can speak with, which was said then.
    /// - Throws: ``SystemError`` of the loop.
    func isWelcome() throws -> Bool {
        if greeting != nil { return true }
        let reply: MuxReply?
        do {
            reply = try poller.wait { try next() } ?? nil
        } catch let error as SystemError {
            trace.say(.debug1, "debug1: mux_client_hello_exchange: write packet: \(error.reason)")
            reply = nil
        }
        switch reply {
        case .hello(let hello) where hello.version == MuxHello.spokenVersion:
            greeting = hello
            trace.debug(.debug2, .local, "master version \(hello.version)")
            return true
        case .hello(let hello):
            trace.say(
                .error,
                "Unsupported multiplexing protocol version \(hello.version) "
                    + "(expected \(MuxHello.spokenVersion))"
            )
        case nil: trace.say(.debug1, "debug1: mux_client_hello_exchange: read packet failed")
        default: trace.say(.error, "mux_client_hello_exchange: expected HELLO")
        }
        trace.say(.error, "muxclient: master hello exchange failed")
        return false
    }

    /// What the master says, if it has said something.
    /// - Returns: nil at the end.
    /// - Throws: ``SystemError``; ``MuxFault`` for what makes no sense.
    func next() throws -> Attempt<MuxReply?> {
        try onWait()
        do {
            try socket.flush()
            switch try socket.receive() {
            case .nothing: return .again
            case .end: return .done(nil)
            case .message(let body): return .done(try MuxReply(body))
            }
        } catch let malformed as MuxMalformed {
            throw MuxFault("mux_client: parse \(malformed.what): invalid format")
        } catch let error as SystemError where error.kind == .disconnected {
            return .done(nil)
        }
    }

    /// Waits for what the master says.
    /// - Returns: nil at the end.
    /// - Throws: as ``next()``.
    func reply() throws -> MuxReply? {
        guard let reply = try poller.wait(for: next) else { return nil }
        return reply
    }
}

extension MuxReply {
    /// Ends the run unless the answer is one to our question.
    /// - Throws: ``MuxFault``.
    func check(id mine: UInt32, in function: String) throws(MuxFault) {
        switch self {
        case .ok(let id), .permissionDenied(let id, _), .failure(let id, _), .alive(let id, _),
            .sessionOpened(let id, _), .remotePort(let id, _), .proxyGranted(let id):
            if id != mine {
                throw MuxFault("\(function): out of sequence reply: my id \(mine) theirs \(id)")
            }
        case .hello, .exitMessage, .ttyAllocationFailed, .unknown: break
        }
    }

    /// The master's reason, if it has one.
    var reason: String? {
        switch self {
        case .permissionDenied(_, let reason), .failure(_, let reason): reason
        default: nil
        }
    }

    /// The number of its type, as OpenSSH prints it.
    var typeText: String {
        let number = body.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
