internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Ways

/// A client's channel that waits for the connection to an X server's TCP port, as inside of another
/// SSH session, where DISPLAY is `localhost:10.0`.
final class X11Dial: ChannelUser {
    /// As OpenSSH has it in `~#`: a channel that connects is of type 12.
    let description = "x11 (t12 [x11])"
    let keepsConnection = true

    private let channel: any Channel
    private let way: Direct
    private let display: String
    private let trace: Trace
    private unowned let channels: ChannelList
    private let onConnected: (SocketEnd) -> Void
    private var hasFailed = false

    /// Begins to connect.
    /// - Parameters:
    ///   - host: as DISPLAY has it.
    ///   - port: 6000 and the display's number.
    ///   - channel: closed when there is no connection.
    ///   - options: AddressFamily.
    ///   - channels: what it lives in.
    ///   - trace: the run's trace.
    ///   - onConnected: gets the connection; this is out of `channels` then.
    init(
        _ host: String,
        _ port: Int,
        for channel: any Channel,
        _ options: Options,
        in channels: ChannelList,
        trace: Trace,
        onConnected: @escaping (SocketEnd) -> Void
    ) {
        self.channel = channel
        self.channels = channels
        self.trace = trace
        self.onConnected = onConnected
        display = "\(host) port \(port)"
        var parameters = DirectParameters(host: host, port: UInt16(clamping: port))
        parameters.family = options.addressFamily.socketFamily
        way = Direct(parameters, trace: Trace(level: .quiet, sink: { _ in }))
    }

    var deadline: Instant? { hasFailed ? nil : way.deadline }

    func watch(_ set: inout PollSet) {
        if !hasFailed { way.watch(&set) }
    }

    func ready(_ set: PollSet, now: Instant) {
        if hasFailed { return end() }
        way.ready(set, now: now)
        do {
            guard case .done = try way.progress(), let socket = way.take() else { return }
            let end = try SocketEnd(socket)
            channels.remove(self)
            onConnected(end)
        } catch let error as any Fault {
            trace.say(.error, "connect \(display): \(reason(of: error))")
            hasFailed = true
            end()
        } catch {
            hasFailed = true
            end()
        }
    }

    private func end() {
        if case .done = channel.close() { channels.remove(self) }
    }

    private func reason(of fault: any Fault) -> String {
        (fault.cause as? SystemError)?.reason ?? fault.summary
    }
}
