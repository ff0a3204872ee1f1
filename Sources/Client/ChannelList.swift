internal import Posix

/// Something that lives on a logged-in connection besides the run's own session: a listener, a
/// forwarded connection, a client that shares the connection.
protocol ChannelUser: Source {
    /// What it is, in a line of `~#`.
    var description: String { get }
    /// Whether the run may not end while it goes on: true for a forwarded connection, false for a
    /// listener.
    var keepsConnection: Bool { get }
}

/// All that lives on a connection, by the number that messages and `~#` give it.
///
/// Numbers are shared out as OpenSSH does: the lowest free one, to listeners, sessions and forwarded
/// connections alike, in the order they begin.
final class ChannelList {
    private let poller: Poller
    private var users: [Int: any ChannelUser] = [:]
    /// The number of the run's own session, which no ``ChannelUser`` stands for.
    private(set) var sessionNumber: Int?

    /// - Parameter poller: the loop they all live in.
    init(poller: Poller) { self.poller = poller }

    /// Whether one of them keeps the run from ending although its session has.
    var keepsConnection: Bool { users.values.contains(where: \.keepsConnection) }

    /// Takes one in, and into the loop.
    /// - Returns: its number.
    @discardableResult
    func add(_ user: any ChannelUser) -> Int {
        let number = freeNumber
        users[number] = user
        poller.add(user)
        return number
    }

    /// Gives the run's own session its number.
    func beginSession() { sessionNumber = freeNumber }

    /// The run's own session has ended.
    func endSession() { sessionNumber = nil }

    private var freeNumber: Int {
        var number = 0
        while users[number] != nil || number == sessionNumber { number += 1 }
        return number
    }

    /// Lets one go; it is not called by the loop again.
    func remove(_ user: any ChannelUser) {
        poller.remove(user)
        if let number = number(of: user) { users[number] = nil }
    }

    /// The number of one of them.
    func number(of user: any ChannelUser) -> Int? {
        users.first { $0.value === user }?.key
    }

    /// All of them, by number.
    var entries: [(number: Int, user: any ChannelUser)] {
        users.sorted { $0.key < $1.key }.map { (number: $0.key, user: $0.value) }
    }
}
