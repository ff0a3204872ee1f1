internal import CLibSSH
public import Faults
public import Posix

/// One SSH connection over a descriptor, on libssh, never blocking.
///
/// libssh's rule, from its tutorial: "a session (and its channels) may only be used by one thread
/// at a time, and its callbacks and log level belong to that thread". The owner is therefore not
/// Sendable. Everything that has to wait for the server returns ``Attempt/again`` and is called
/// again after a turn of the ``Poller``, with the same arguments.
///
/// Life: `connect` until done ▶ check `hostKey` ▶ authenticate ▶ channels ▶ `disconnect`.
@safe public final class Session: Source {
    /// What the session was told at its beginning.
    public let parameters: SessionParameters
    /// Why the session ended; nil as long as it lives.
    ///
    /// Set by the loop, looked at by the phases of a run.
    public private(set) var failure: SSHError?
    /// Who takes the channels that the server opens.
    public var serverChannels = ServerChannels()
    /// Called when the server opens a channel that nobody takes; it is refused in any case.
    public var onServerOpenedChannel: () -> Void = {}

    let handle: OpaquePointer
    let trace: Trace
    /// What is known only from libssh's log.
    var notes = LibraryNotes()
    /// What libssh takes for the user's agent, once one was needed.
    var ourAgent: OurAgent?
    /// Whether an attempt with it is going on.
    var isAgentAnswering = false
    /// Whether an attempt with a Kerberos ticket is going on.
    var isGSSAPIPrepared = false
    /// The least time the server took to answer anything.
    private(set) var roundTrip: Duration?
    /// What is asked of the connection as a whole.
    var globalRequests = GlobalRequests()
    /// For raising windows; made when first needed.
    lazy var scratch = ReceiveScratch()
    let readAhead: ReadAhead
    private let event: OpaquePointer
    private var descriptor: Descriptor?
    private var number: Int32
    private var phase = Phase.new
    private var slot: PollSet.Slot?
    private let counters: UnsafeMutablePointer<ssh_counter_struct>
    /// Bytes on the socket, where `counters` has packets.
    private let socketCounters: UnsafeMutablePointer<ssh_counter_struct>
    private let serverCallbacks: UnsafeMutablePointer<ssh_callbacks_struct>
    private var channels: [WeakChannel] = []
    private var rekeyDeadline: Instant?
    /// Those that came before everybody in the loop had a turn.
    private var packetsSeen: UInt64 = 0

    enum Phase {
        case new
        case connecting
        case authenticating
        case open
        case ended
    }

    /// Packets handled in one turn before others in the loop get theirs (4 KiB each).
    private static let readsPerTurn = 128

    /// Takes a connected socket; nothing is sent before ``connect()``.
    /// - Parameters:
    ///   - descriptor: a connected stream socket, not a pipe (libssh calls recv and send).
    ///   - parameters: algorithms, limits and names.
    ///   - trace: receives libssh's own log.
    /// - Throws: ``SSHError/refused(_:)`` when an algorithm list names nothing libssh has.
    public init(
        descriptor: consuming Descriptor,
        parameters: SessionParameters,
        trace: Trace
    ) throws(SSHError) {
        guard let handle = unsafe ssh_new(), let event = unsafe ssh_event_new() else {
            throw .refused("out of memory")
        }
        unsafe self.handle = handle
        unsafe self.event = event
        self.parameters = parameters
        self.trace = trace
        number = descriptor.number
        readAhead = ReadAhead(socket: number)
        self.descriptor = consume descriptor
        unsafe counters = .allocate(capacity: 1)
        unsafe counters.initialize(to: ssh_counter_struct())
        unsafe socketCounters = .allocate(capacity: 1)
        unsafe socketCounters.initialize(to: ssh_counter_struct())
        unsafe serverCallbacks = .allocate(capacity: 1)
        unsafe serverCallbacks.initialize(to: ssh_callbacks_struct())
        try configure()
    }

    deinit {
        inLibrary {
            unsafe ssh_event_remove_session(event, handle)
            unsafe ssh_event_free(event)
            // Closes the socket, if it still has one.
            unsafe ssh_free(handle)
        }
        unsafe counters.deallocate()
        unsafe socketCounters.deallocate()
        unsafe serverCallbacks.deallocate()
    }

    // MARK: - Connecting

    /// Exchanges identification lines and keys.
    /// - Returns: ``Attempt/again`` until the first key exchange is done.
    /// - Throws: why it failed, told apart as far as it can be.  C: `ssh_connect`.
    public func connect() throws(SSHError) -> Attempt<Void> {
        if let failure { throw failure }
        guard phase == .new || phase == .connecting else { return .done(()) }
        let isFirst = phase == .new
        phase = .connecting
        // From here on libssh owns the descriptor: some of its errors close it.
        if let descriptor = descriptor.take() { number = descriptor.release() }
        let code = inLibrary { unsafe ssh_connect(handle) }
        if isFirst { inLibrary { _ = unsafe ssh_event_add_session(event, handle) } }
        keepNonBlocking()
        if notes.lineCount > LibraryNotes.linesAllowed, !notes.hasBanner {
            end(with: describeFailure())
        }
        if let failure { throw failure }
        switch code {
        case SSH_OK:
            phase = .authenticating
            allowOldRSAName()
            beginRekeyTimer()
            return .done(())
        case SSH_AGAIN: return .again
        default:
            let failure = describeFailure()
            end(with: failure)
            throw failure
        }
    }

    /// libssh makes the socket blocking when it finds it connected (`ssh_socket_pollcallback`);
    /// a write to a full socket would then stop the loop.
    private func keepNonBlocking() {
        guard phase == .connecting, unsafe ssh_get_fd(handle) >= 0 else { return }
        try? setNonBlocking(number)
    }

    // MARK: - The loop

    /// Waits for what libssh wants of the socket.
    public func watch(_ set: inout PollSet) {
        slot = nil
        guard isInLoop else { return }
        let flags = unsafe ssh_get_poll_flags(handle)
        var events: Events = .read
        if flags & SSH_WRITE_PENDING != 0 { events.insert(.write) }
        slot = set.watch(number, events)
    }

    /// At once while there are bytes or packets that poll cannot tell of; else when a rekey by time
    /// is due although nothing is sent.
    ///
    /// Many calls of libssh read in passing: what came so after its taker's turn would wait there
    /// for the next event.
    public var deadline: Instant? {
        guard isInLoop else { return nil }
        let isKnown = readAhead.isEmpty && packetsReceived == packetsSeen
        return isKnown ? rekeyDeadline : readClock()
    }

    /// Lets libssh read, write and call back; a failure is kept in ``failure``.
    public func ready(_ set: PollSet, now: Instant) {
        guard isInLoop else { return }
        if let due = rekeyDeadline, due <= now { rekeyByTime(now) }
        if !set[slot].isEmpty || !readAhead.isEmpty { handlePackets() }
        if !globalRequests.waiting.isEmpty { advanceGlobalRequests() }
        for channel in channels { channel.channel?.settle() }
        // All others have their turn after this.
        packetsSeen = packetsReceived
    }

    private var isInLoop: Bool { phase != .new && phase != .ended }

    private func handlePackets() {
        let level = globalRequests.needsEachPacket ? SSH_LOG_PACKET : SSH_LOG_WARNING
        inLibrary(least: level) {
            // A writable socket is an event each time, so only bytes that came are a reason to go on.
            for _ in 0..<Session.readsPerTurn {
                let before = unsafe socketCounters.pointee.in_bytes
                guard unsafe ssh_event_dopoll(event, 0) == SSH_OK, !isBroken, failure == nil,
                    unsafe socketCounters.pointee.in_bytes != before
                else { break }
                if globalRequests.needsEachPacket { advanceGlobalRequests() }
            }
        }
        keepNonBlocking()
        noteFailure()
    }

    /// Whether libssh has given the connection up.
    private var isBroken: Bool {
        unsafe ssh_get_status(handle) & (SSH_CLOSED | SSH_CLOSED_ERROR) != 0
    }

    /// Keeps the reason when libssh has given up; called after whatever may have read or written.
    func noteFailure() {
        // While connecting, `ssh_connect` itself tells the result.
        guard failure == nil, phase == .authenticating || phase == .open, isBroken else { return }
        end(with: describeFailure())
    }

    /// Gives the connection up because of what the server did.
    func violated(_ text: String) {
        if failure == nil { end(with: .protocolViolation(parameters.peer, text: text)) }
    }

    private func end(with error: SSHError) {
        failure = error
        phase = .ended
        for channel in channels { channel.channel?.sessionEnded(freed: false) }
    }

    // MARK: - Ending

    /// Whether the key exchange is done and the connection stands.
    public var isConnected: Bool { phase == .authenticating || phase == .open }

    /// Tells the server goodbye and closes the connection and its channels; not for callbacks.
    /// - Parameter message: the reason sent, as OpenSSH's `disconnected by user`.
    public func disconnect(_ message: String = "disconnected by user") {
        // Also of a connection that has failed: who still has a channel of it learns that it is over.
        for channel in channels { channel.channel?.sessionEnded(freed: true) }
        guard phase != .ended else { return }
        phase = .ended
        guard unsafe ssh_get_fd(handle) >= 0 else { return }
        inLibrary {
            unsafe ssh_session_set_disconnect_message(handle, message)
            unsafe ssh_event_remove_session(event, handle)
            unsafe ssh_disconnect(handle)
        }
        // `ssh_disconnect` forgets a socket it was given; closing it is ours.
        _ = Descriptor(owning: number)
    }

    /// Notes how long an answer took, which may be the server's own time: a target that is slow to
    /// connect says nothing about the link.
    /// - Returns: the least so far.
    func noteRoundTrip(_ time: Duration) -> Duration {
        let least = min(time, roundTrip ?? time)
        roundTrip = least
        return least
    }

    func loggedIn() {
        if phase == .authenticating { phase = .open }
    }

    var isLoggedIn: Bool { phase == .open }

    func register(_ channel: LibraryChannel) {
        channels.removeAll { $0.channel == nil }
        channels.append(WeakChannel(channel: channel))
    }

    private struct WeakChannel {
        weak var channel: LibraryChannel?
    }

    /// Bytes on the wire since the connection began.
    public var traffic: (sent: UInt64, received: UInt64) {
        unsafe (socketCounters.pointee.out_bytes, socketCounters.pointee.in_bytes)
    }

    // MARK: - Keeping alive

    /// Packets received so far; an answer to a keepalive raises it.
    public var packetsReceived: UInt64 { unsafe counters.pointee.in_packets }

    /// Asks the server for a sign of life; any packet that comes back counts as one.
    ///
    /// C: `ssh_send_keepalive`, which only takes the previous answer when there is one and sends
    /// nothing then, so it is called twice.
    public func sendKeepalive() {
        // An answer that is waited for anyway is a sign of life too.
        guard isConnected, !globalRequests.isSent else { return }
        inLibrary(least: SSH_LOG_PACKET) {
            unsafe ssh_send_keepalive(handle)
            unsafe ssh_send_keepalive(handle)
        }
        noteFailure()
    }

    /// Begins a new key exchange (escape `~R`).
    ///
    /// There is no call for it: a time limit of a second is set for the length of one packet,
    /// which libssh then holds back until the new keys are there.
    public func requestRekey() {
        guard phase == .open else { return }
        setRekeySeconds(1)
        inLibrary { _ = unsafe ssh_send_ignore(handle, "") }
        setRekeySeconds(parameters.rekeySeconds)
        noteFailure()
    }

    /// libssh looks at the time only when a packet goes out, so an idle session needs one.
    private func rekeyByTime(_ now: Instant) {
        inLibrary { _ = unsafe ssh_send_ignore(handle, "") }
        rekeyDeadline = now + .seconds(Int64(parameters.rekeySeconds))
        noteFailure()
    }

    private func beginRekeyTimer() {
        guard parameters.rekeySeconds > 0 else { return }
        rekeyDeadline = readClock() + .seconds(Int64(parameters.rekeySeconds))
    }
}

// MARK: - Options

extension Session {
    /// Sets every option; what libssh would look up in files or the environment is set to nothing.
    private func configure() throws(SSHError) {
        unsafe ssh_set_blocking(handle, 0)
        try set(SSH_OPTIONS_PROCESS_CONFIG, false)
        try set(SSH_OPTIONS_FD, number)
        // libssh refuses names such as `DOM\user` here; the real one goes with every request.
        try set(SSH_OPTIONS_USER, "user")
        try set(SSH_OPTIONS_SSH_DIR, "/nonexistent")
        // It would sort the host key algorithms by what these files know.
        try set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_COMPRESSION, parameters.compression ? "yes" : "no")
        for (option, names) in [
            (SSH_OPTIONS_KEY_EXCHANGE, parameters.keyExchanges),
            (SSH_OPTIONS_HOSTKEYS, parameters.hostKeyAlgorithms),
            (SSH_OPTIONS_CIPHERS_C_S, parameters.ciphers),
            (SSH_OPTIONS_CIPHERS_S_C, parameters.ciphers),
            (SSH_OPTIONS_HMAC_C_S, parameters.macs),
            (SSH_OPTIONS_HMAC_S_C, parameters.macs),
            (SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, parameters.publicKeyAlgorithms),
        ] where !names.isEmpty {
            try set(option, names.joined(separator: ","))
        }
        try set(SSH_OPTIONS_RSA_MIN_SIZE, max(parameters.minimumRSABits, 768))
        if parameters.rekeyBytes > 0 { try set(SSH_OPTIONS_REKEY_DATA, parameters.rekeyBytes) }
        setRekeySeconds(parameters.rekeySeconds)
        unsafe ssh_set_counters(handle, socketCounters, counters)
        answerServerChannels()
    }

    func set(_ option: ssh_options_e, _ value: String) throws(SSHError) {
        try check(inLibrary { unsafe ssh_options_set(handle, option, value) })
    }

    func set<Value: BitwiseCopyable>(
        _ option: ssh_options_e,
        _ value: Value
    ) throws(SSHError) {
        try check(
            inLibrary {
                unsafe withUnsafeBytes(of: value) {
                    unsafe ssh_options_set(handle, option, $0.baseAddress)
                }
            }
        )
    }

    private func check(_ code: Int32) throws(SSHError) {
        if code < 0 { throw .refused(libraryError) }
    }

    private func setRekeySeconds(_ seconds: UInt32) {
        try? set(SSH_OPTIONS_REKEY_TIME, min(seconds, UInt32.max / 1000))
    }
}
