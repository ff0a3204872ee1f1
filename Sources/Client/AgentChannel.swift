internal import Posix
internal import SSH

/// A channel whose bytes go over a socket of this side, to a tunnel of AWS's.
///
/// What a server would be asked for besides is not to be had.
@safe class AgentChannel: ConnectionChannel {
    /// What is read from the socket at a time.
    private static let portion = 65_536

    var onData: (UnsafeRawBufferPointer, Bool) -> Int = { _, _ in 0 } {
        didSet { drain() }
    }
    var exitStatus: Int? { nil }
    var exitSignal: ExitSignal? { nil }
    /// Whether the other side has ended.
    private(set) var hasEnded = false
    /// Bytes that have come, and that have gone.
    private(set) var traffic: (sent: UInt64, received: UInt64) = (0, 0)

    private var socket: SocketEnd?
    /// What came and nobody has taken.
    private var waiting: [UInt8] = []
    private var isBlocked = false
    private var hasSentEnd = false
    private var slot: PollSet.Slot?

    /// The connection is there.
    func take(_ descriptor: consuming Descriptor) throws(SystemError) {
        socket = try SocketEnd(descriptor)
    }

    /// Whether ``take(_:)`` was called.
    var isConnected: Bool { socket != nil }

    /// What of the bytes that came is the stream's.
    func filter(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(bytes) }
    /// What was held back when the other side has ended.
    func lastBytes() -> [UInt8] { [] }

    // MARK: - In the loop

    func watch(_ set: inout PollSet) {
        slot = nil
        var events: Events = []
        if waiting.isEmpty && !hasEnded { events.insert(.read) }
        if isBlocked { events.insert(.write) }
        if !events.isEmpty { slot = socket?.number.map { set.watch($0, events) } }
    }

    func ready(_ set: PollSet) {
        let events = set[slot]
        if !events.isDisjoint(with: [.write, .hangup, .error]) { isBlocked = false }
        if !events.subtracting(.write).isEmpty, waiting.isEmpty { receive() }
    }

    private func receive() {
        guard let socket, !hasEnded else { return }
        do throws(SystemError) {
            try unsafe withUnsafeTemporaryAllocation(
                byteCount: AgentChannel.portion,
                alignment: 16
            ) { portion throws(SystemError) in
                guard case .done(let count) = unsafe try socket.read(into: portion) else { return }
                if count == 0 { return end() }
                traffic.received += UInt64(count)
                unsafe waiting += filter(UnsafeRawBufferPointer(rebasing: portion[..<count]))
            }
        } catch {
            // Who closes with bytes of ours unread resets the socket pair; what it sent is here.
            end()
        }
        drain()
    }

    private func end() {
        hasEnded = true
        waiting += lastBytes()
    }

    // MARK: - Channel

    func open() throws(SSHError) -> Attempt<Void> { isConnected ? .done(()) : .again }

    func drain() {
        if waiting.isEmpty { return }
        let taken = unsafe waiting.withUnsafeBytes { unsafe onData($0, false) }
        waiting.removeFirst(taken)
    }

    var remoteEOF: Bool { hasEnded && waiting.isEmpty }
    var isClosed: Bool { remoteEOF }

    var canWrite: Bool { isConnected && !isBlocked && !hasSentEnd && !hasEnded }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int {
        guard canWrite, let socket else { return 0 }
        do throws(SystemError) {
            guard case .done(let count) = unsafe try socket.write(bytes) else {
                isBlocked = true
                return 0
            }
            traffic.sent += UInt64(count)
            isBlocked = count < bytes.count
            return count
        } catch {
            throw .refused("the other side has closed the connection")
        }
    }

    func sendEOF() {
        if !hasSentEnd { socket?.close() }
        hasSentEnd = true
    }

    func close() -> Attempt<Void> {
        socket = nil
        hasEnded = true
        waiting = []
        return .done(())
    }

    // MARK: - What there is not

    func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        .done(false)
    }
    func shell() throws(SSHError) -> Attempt<Bool> { .done(false) }
    func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> { .done(false) }
    func changeWindow(columns: Int, rows: Int) {}
}
