internal import Faults
internal import Posix
internal import SSH

/// Asks a silent server for a sign of life, and ends the run when none comes
/// (ServerAliveInterval and ServerAliveCountMax, ssh_config(5)).
final class Keepalive: Source {
    private let session: any ChannelCarrier
    private let interval: Duration
    private let countMax: Int
    private let host: String
    private var packetsSeen: UInt64
    private var unanswered = 0
    private(set) var deadline: Instant?

    /// Starts counting from now.
    /// - Parameters:
    ///   - session: what is asked.
    ///   - interval: how long the server may be silent before it is asked.
    ///   - countMax: how many questions may stay unanswered.
    ///   - host: the name in the message.
    ///   - now: the time.
    init(session: any ChannelCarrier, interval: Duration, countMax: Int, host: String, now: Instant)
    {
        self.session = session
        self.interval = interval
        self.countMax = countMax
        self.host = host
        packetsSeen = session.packetsReceived
        deadline = now + interval
    }

    func watch(_ set: inout PollSet) {}

    func ready(_ set: PollSet, now: Instant) throws {
        let packets = session.packetsReceived
        if packets != packetsSeen {
            packetsSeen = packets
            unanswered = 0
            deadline = now + interval
            return
        }
        guard let due = deadline, now >= due else { return }
        if unanswered >= countMax { throw ServerSilent(host: host) }
        unanswered += 1
        session.sendKeepalive()
        deadline = now + interval
    }
}

/// Says that the server stopped answering after the login.
struct ServerSilent: Fault {
    let host: String
    var layer: Layer { .link }
    var summary: String { "\(host) has stopped answering" }
    var words: [String]? { ["Timeout, server \(host) not responding."] }
}
