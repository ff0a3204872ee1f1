internal import Posix

/// What happens on this machine that makes one doubt a link before it is silent: another address or
/// route, a sleep, a stop.
final class LinkDoubts {
    /// Why to ask the other side for a sign of life.
    enum Reason: Equatable {
        /// An interface, an address or a route has changed.
        case network
        /// This process did not run, so that silence until now says nothing.
        case absence
    }

    /// Nobody notices a shorter sleep.
    private static let leastSleep = Duration.seconds(1)

    private let poller: Poller
    /// Nil where the system does not tell.
    private let network: NetworkChanges?
    private var changes = 0
    private var asleep: Duration
    private var continuations: Int

    /// Begins to listen.
    init(_ poller: Poller) {
        self.poller = poller
        network = try? NetworkChanges()
        asleep = timeAsleep()
        continuations = poller.signals.count(of: .resume)
        network.map(poller.add)
    }

    /// Listens no more.
    func end() { network.map(poller.remove) }

    /// How often the network has changed, for who waits for that.
    var networkChanges: Int { network?.count ?? 0 }

    /// What has come since this was last asked.
    func next() -> Reason? {
        next(
            changes: networkChanges,
            asleep: timeAsleep(),
            continuations: poller.signals.count(of: .resume)
        )
    }

    /// The same, told what there is to know.
    func next(changes: Int, asleep: Duration, continuations: Int) -> Reason? {
        defer { (self.changes, self.asleep, self.continuations) = (changes, asleep, continuations) }
        if asleep - self.asleep >= LinkDoubts.leastSleep { return .absence }
        if continuations != self.continuations { return .absence }
        return changes != self.changes ? .network : nil
    }
}
