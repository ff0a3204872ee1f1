internal import Faults
internal import Posix
internal import SSH

/// A connection that a program on the server has made to a socket of this side, from its channel to
/// the end of both.
final class SocketChannel: ChannelUser {
    let keepsConnection = true
    let deadline: Instant? = nil

    private let name: String
    private let channel: any Channel
    private let socket: SocketEnd
    private let relay: Relay
    private let trace: Trace
    private unowned let channels: ChannelList
    private var isCutOff = false

    /// Joins a channel to a socket.
    /// - Parameters:
    ///   - channel: an open channel.
    ///   - socket: where bytes are read, and written unless there is a gate.
    ///   - gate: looks at what is written; nil for none.
    ///   - name: what OpenSSH calls it.
    ///   - channels: what it lives in.
    ///   - trace: the run's trace.
    init(
        _ channel: any Channel,
        to socket: SocketEnd,
        through gate: X11Gate? = nil,
        name: String,
        in channels: ChannelList,
        trace: Trace
    ) {
        self.channel = channel
        self.name = name
        self.socket = socket
        self.channels = channels
        self.trace = trace
        relay = Relay(
            channel: channel,
            input: socket,
            output: gate ?? socket,
            errorOutput: nil,
            escapes: nil,
            trace: trace
        )
        relay.onDroppedOutput = { [unowned self] in isCutOff = true }
        gate?.onRefused = { [unowned self] in isCutOff = true }
    }

    /// As OpenSSH has it in `~#`: an open channel is of type 4.
    var description: String {
        let number = socket.number ?? -1
        return "\(name) (t4 [\(name)] fd \(number)/\(number)/-1 sock \(number) cc -1)"
    }

    func watch(_ set: inout PollSet) { relay.watch(&set) }

    func ready(_ set: PollSet, now: Instant) {
        do {
            if !isCutOff { try relay.ready(set, now: now) }
        } catch {
            // What ends the connection is for others to tell; this is only one of its channels.
            trace.debug(.debug1, .channel, "\(name): \(error)")
            isCutOff = true
        }
        if isCutOff {
            if case .done = channel.close() { channels.remove(self) }
        } else if relay.isFinished {
            channels.remove(self)
        }
    }
}
