internal import Faults
internal import Posix

/// Takes connections on a socket of this machine, for a local forward.
final class ForwardListener: ChannelUser {
    /// As many are taken in one turn before others in the loop get theirs.
    private static let connectionsPerTurn = 64
    /// How long is waited when there are no descriptors left.
    private static let pause = Duration.seconds(1)

    /// The forward it belongs to.
    let description: String
    let keepsConnection = false
    /// When it goes on after it ran out of descriptors.
    private(set) var deadline: Instant?

    private let descriptor: Descriptor
    private let trace: Trace
    private let onConnection: (SocketEnd) -> Void
    private var slot: PollSet.Slot?

    /// - Parameters:
    ///   - descriptor: a listening socket.
    ///   - description: what it is for.
    ///   - trace: the run's trace.
    ///   - onConnection: called for each connection.
    init(
        _ descriptor: consuming Descriptor,
        description: String,
        trace: Trace,
        onConnection: @escaping (SocketEnd) -> Void
    ) {
        self.descriptor = descriptor
        self.description = description
        self.trace = trace
        self.onConnection = onConnection
    }

    func watch(_ set: inout PollSet) {
        slot = deadline == nil ? set.watch(descriptor.number, .read) : nil
    }

    func ready(_ set: PollSet, now: Instant) {
        if let due = deadline, due <= now { deadline = nil }
        guard !set[slot].isEmpty else { return }
        do throws(SystemError) {
            for _ in 0..<ForwardListener.connectionsPerTurn {
                guard let connection = try acceptConnection(descriptor.number) else { return }
                onConnection(try SocketEnd(connection))
            }
        } catch {
            if error.isAborted { return }
            trace.say(.error, "accept: \(error.reason)")
            if error.isShortOfDescriptors { deadline = now + ForwardListener.pause }
        }
    }
}
