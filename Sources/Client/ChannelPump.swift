internal import Posix
internal import SSH

/// Carries bytes between a channel and a socket of this side, both ways, until both have ended.
///
/// An end of one direction is passed on as such, and the other goes on (RFC 4254 §5.3). Nothing is
/// read that cannot be put down, so whoever stalls stalls this channel and no other. There is one
/// portion of bytes at most in our hands, and none while nothing is under way: there may be
/// thousands of these.
@safe final class ChannelPump {
    /// What is read from the socket at a time; two packets of SSH.
    private static let portion = 65_536

    private let channel: any Channel
    let socket: SocketEnd
    /// What the channel has not taken yet.
    private var toChannel: [UInt8]
    private var toChannelStart = 0
    /// What came before the pump began and the socket has not taken yet.
    private var toSocket: [UInt8]
    private var inputEnded = false
    private var sentEOF = false
    private var outputEnded = false
    /// Whether the socket did not take all it was given.
    private var isBlocked = false
    private var slot: PollSet.Slot?

    /// Joins a channel to a socket; the channel's data callback is the pump's from now on.
    /// - Parameters:
    ///   - channel: an open channel.
    ///   - socket: a connected socket.
    ///   - toSocket: what goes to the socket first.
    ///   - toChannel: what goes to the channel first.
    init(
        _ channel: any Channel,
        _ socket: SocketEnd,
        toSocket: [UInt8] = [],
        toChannel: [UInt8] = []
    ) {
        self.channel = channel
        self.socket = socket
        self.toSocket = toSocket
        self.toChannel = toChannel
        // No event would tell that these are waiting.
        putDown()
        send()
        unsafe channel.onData = { [unowned self] bytes, isError in
            // No forward has a second stream.
            unsafe isError ? bytes.count : deliver(bytes)
        }
    }

    deinit { unsafe channel.onData = { bytes, _ in bytes.count } }

    /// Whether nothing more can be carried: both directions have ended, or the server has closed the
    /// channel and all it brought is put down.
    var isFinished: Bool {
        sentEOF && outputEnded
            || channel.isClosed && (outputEnded || !isBlocked && toSocket.isEmpty)
    }

    func watch(_ set: inout PollSet) {
        slot = nil
        var events: Events = []
        if !inputEnded && toChannel.isEmpty && channel.canWrite { events.insert(.read) }
        if isBlocked && !outputEnded { events.insert(.write) }
        if !events.isEmpty { slot = socket.number.map { set.watch($0, events) } }
    }

    func ready(_ set: PollSet) {
        let events = set[slot]
        if !events.isDisjoint(with: [.write, .hangup, .error]) { isBlocked = false }
        putDown()
        if !isBlocked { channel.drain() }
        if channel.remoteEOF && !isBlocked && toSocket.isEmpty && !outputEnded {
            socket.close()
            outputEnded = true
        }
        send()
        if !events.isDisjoint(with: [.read, .hangup, .error]), !inputEnded, toChannel.isEmpty {
            fill()
            send()
        }
        if inputEnded && toChannel.isEmpty && !sentEOF {
            channel.sendEOF()
            sentEOF = true
        }
    }

    // MARK: - From the channel

    private func putDown() {
        guard !toSocket.isEmpty, !isBlocked else { return }
        let count = unsafe toSocket.withUnsafeBytes { unsafe write($0) }
        toSocket.removeFirst(count)
        if !toSocket.isEmpty { isBlocked = true }
    }

    /// The channel's callback: what is not taken is offered again by `drain`.
    private func deliver(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isBlocked, toSocket.isEmpty else { return 0 }
        let taken = unsafe write(bytes)
        if taken < bytes.count { isBlocked = true }
        return taken
    }

    /// - Returns: the bytes taken: all when nobody reads them any more.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !outputEnded else { return bytes.count }
        var taken = 0
        do throws(SystemError) {
            while taken < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
                guard case .done(let count) = unsafe try socket.write(rest) else { break }
                taken += count
            }
            return taken
        } catch {
            outputEnded = true
            return bytes.count
        }
    }

    // MARK: - To the channel

    private func fill() {
        do throws(SystemError) {
            unsafe try withPortion { portion throws(SystemError) in
                guard case .done(let count) = unsafe try socket.read(into: portion) else { return }
                if count == 0 { inputEnded = true }
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: portion[..<count])
                // What the channel takes at once is not copied.
                let taken = unsafe writeToChannel(bytes)
                toChannel = unsafe Array(bytes[taken...])
            }
        } catch {
            inputEnded = true
        }
    }

    private func withPortion(
        _ body: (UnsafeMutableRawBufferPointer) throws(SystemError) -> Void
    ) throws(SystemError) {
        unsafe try withUnsafeTemporaryAllocation(
            byteCount: ChannelPump.portion,
            alignment: 16
        ) { portion throws(SystemError) in unsafe try body(portion) }
    }

    private func send() {
        guard !toChannel.isEmpty else { return }
        toChannelStart += unsafe toChannel.withUnsafeBytes {
            unsafe writeToChannel(UnsafeRawBufferPointer(rebasing: $0[toChannelStart...]))
        }
        guard toChannelStart == toChannel.count else { return }
        toChannel = []
        toChannelStart = 0
    }

    /// - Returns: the bytes taken: all when the channel is closed, for nobody will.
    private func writeToChannel(_ bytes: UnsafeRawBufferPointer) -> Int {
        var taken = 0
        do throws(SSHError) {
            while taken < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
                let count = unsafe try channel.write(rest)
                if count == 0 { break }
                taken += count
            }
            return taken
        } catch {
            inputEnded = true
            return bytes.count
        }
    }
}
