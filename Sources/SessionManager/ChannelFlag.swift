/// What a message of the type ``Frame/PayloadType/flag`` says: a number, big-endian.
enum ChannelFlag: UInt32 {
    /// This connection is over; the session waits for the next one.
    case disconnectPort = 1
    /// The session is to end.
    case terminateSession = 2
    /// The agent could not connect to its port.
    case connectError = 3

    /// Reads a payload; nil for one of another length, or a flag that nobody knows yet.
    init?(_ payload: [UInt8]) {
        guard payload.count == 4 else { return nil }
        self.init(rawValue: payload.reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// The payload.
    var bytes: [UInt8] { [0, 0, 0, UInt8(truncatingIfNeeded: rawValue)] }
}
