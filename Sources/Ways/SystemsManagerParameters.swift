internal import SessionManager

/// What the way through Systems Manager needs to know.
public struct SystemsManagerParameters: Sendable {
    /// `i-…`, or `mi-…` for a machine that is not on EC2.
    public var instance: String
    /// A port of the instance.
    public var port: UInt16 = 22
    /// Whether the way is open only when the instance has spoken, as servers of SSH do.
    public var awaitsGreeting = true
    /// How long to wait for what.
    var timing = WebSocketTiming()
    /// From the first websocket until the agent is there.
    var opening = Duration.seconds(30)
    /// How long to try to take a session up again: as long as its data channel is patient.
    var resuming = DataChannel.patience

    /// Describes an instance.
    /// - Parameter instance: its id.
    public init(instance: String) { self.instance = instance }
}
