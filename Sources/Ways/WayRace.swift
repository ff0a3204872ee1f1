public import Faults
public import Posix

/// Several ways to one sshd, of which the first at whose end SSH is spoken wins.
///
/// Each is joined by the next when it has not answered for a while, and at once when it has failed.
/// The others are closed.
///
/// A way that is connected has not answered yet: firewalls and relays accept connections behind
/// which there is nobody.
public final class WayRace: Way {
    /// One way that may be gone.
    public struct Lane {
        /// What it is called in messages: `directly`, `through …`.
        public let name: String
        /// Whether it begins with the first one: it was the one that worked the last time.
        public var beginsAtOnce = false
        let begin: () throws(WayError) -> any Way

        /// Describes a way.
        /// - Parameters:
        ///   - name: what it is called in messages.
        ///   - begin: begins it; called at most once.
        public init(_ name: String, begin: @escaping () throws(WayError) -> any Way) {
            self.name = name
            self.begin = begin
        }
    }

    /// How one way ended that did not win.
    public struct Loss: Sendable {
        /// The lane's name.
        public let name: String
        /// Why it led nowhere.
        public let error: WayError
    }

    private enum State {
        case running
        case won(Runner)
        case failed(WayError)
    }

    /// How long the ways that run may be silent before the next one joins them.
    public static let patience = Duration.milliseconds(1500)

    private let patience: Duration
    private let trace: Trace
    private let onJoin: ([String]) -> Void
    private let order: [String]
    private var waiting: ArraySlice<Lane>
    private var runners: [Runner] = []
    private var state = State.running
    /// When the next way joins.
    private var joinTime: Instant?
    /// The ways that led nowhere, in the order they failed.
    public private(set) var losses: [Loss] = []
    /// The name of the way that won.
    public private(set) var winner: String?

    /// The address at the other end of the way that won.
    public var peer: SocketAddress? {
        if case .won(let runner) = state { runner.way.peer } else { nil }
    }

    /// Begins with the first way.
    /// - Parameters:
    ///   - lanes: the ways in order of preference; at least one.
    ///   - patience: how long a way may be silent before the next one joins it.
    ///   - trace: told who joins, fails and wins.
    ///   - onJoin: called with the names of those in the race whenever one joins.
    public init(
        _ lanes: [Lane],
        patience: Duration = WayRace.patience,
        trace: Trace,
        onJoin: @escaping ([String]) -> Void = { _ in }
    ) {
        precondition(!lanes.isEmpty, "a race has at least one way")
        waiting = lanes[...]
        order = lanes.map(\.name)
        self.patience = patience
        self.trace = trace
        self.onJoin = onJoin
        advance(nil, now: readClock())
    }

    /// Tells whether somebody has won.
    /// - Returns: done when there is a winner.
    /// - Throws: the first way's error when no way is left.
    public func progress() throws(WayError) -> Attempt<Void> {
        switch state {
        case .running: return .again
        case .won: return .done(())
        case .failed(let error): throw error
        }
    }

    /// Hands over the winner's descriptor, once.
    /// - Returns: nil as long as nobody has won, and after it was taken.
    public func take() -> Descriptor? {
        guard case .won(let runner) = state else { return nil }
        return runner.takeDescriptor()
    }

    /// Ends what belongs to the connection.
    public func end() {
        if case .won(let runner) = state { runner.way.end() }
    }

    // MARK: - Source

    /// Asks for what the ways in the race wait for.
    public func watch(_ set: inout PollSet) {
        if case .won(let runner) = state { return runner.watch(&set) }
        runners.forEach { $0.watch(&set) }
    }

    /// When a way wants to be called, or the next one joins.
    public var deadline: Instant? {
        if case .won(let runner) = state { return runner.way.deadline }
        return runners.reduce(waiting.isEmpty ? nil : joinTime) { earliest($0, $1.way.deadline) }
    }

    /// Lets every way do what it can.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    /// - Throws: what a way throws that ends the run.
    public func ready(_ set: PollSet, now: Instant) throws {
        if case .won(let runner) = state { return try runner.way.ready(set, now: now) }
        for runner in runners { try runner.way.ready(set, now: now) }
        advance(set, now: now)
    }

    // MARK: - The race

    private func advance(_ set: PollSet?, now: Instant) {
        guard case .running = state else { return }
        for runner in runners {
            switch runner.advance() {
            case .going: continue
            case .greeted: return finish(runner, now: now)
            case .failed(let error): lose(runner, error, now: now)
            }
        }
        while let lane = waiting.first, mayJoin(lane, now: now) {
            waiting.removeFirst()
            begin(lane, now: now)
            if case .running = state { continue }
            return
        }
        guard waiting.isEmpty else { return }
        if runners.isEmpty { return giveUp() }
        // Nobody is left to race against; how long a server may be silent is ssh's business.
        if let last = runners.first, runners.count == 1, last.isOpen { finish(last, now: now) }
    }

    private func mayJoin(_ lane: Lane, now: Instant) -> Bool {
        runners.isEmpty || lane.beginsAtOnce || joinTime.map { now >= $0 } ?? true
    }

    private func begin(_ lane: Lane, now: Instant) {
        joinTime = now + patience
        trace.debug(.debug1, .network, "trying \(lane.name)")
        do throws(WayError) {
            let runner = Runner(lane.name, try lane.begin(), since: now)
            runners.append(runner)
            onJoin(runners.map(\.name))
            switch runner.advance() {
            case .going: break
            case .greeted: finish(runner, now: now)
            case .failed(let error): lose(runner, error, now: now)
            }
        } catch {
            losses.append(Loss(name: lane.name, error: error))
            trace.debug(.debug1, .network, "\(lane.name): \(error.summary)")
            joinTime = nil
        }
    }

    private func finish(_ runner: Runner, now: Instant) {
        winner = runner.name
        trace.debug(.debug1, .network, "\(runner.name): SSH answers after \(now - runner.start)")
        // Dropping the others gives them up without waiting for their farewells.
        runners = []
        waiting = []
        state = .won(runner)
    }

    private func lose(_ runner: Runner, _ error: WayError, now: Instant) {
        trace.debug(
            .debug1,
            .network,
            "\(runner.name): \(error.summary) after \(now - runner.start)"
        )
        runners.removeAll { $0 === runner }
        losses.append(Loss(name: runner.name, error: error))
        joinTime = nil
    }

    private func giveUp() {
        // The way that comes first is the one that was meant; what it says, ssh says.
        let ordered = order.compactMap { name in losses.first { $0.name == name } }
        guard let first = ordered.first else { preconditionFailure("a race ends with a loss") }
        var error = first.error
        error.others = ordered.dropFirst().map { $0 }
        state = .failed(error)
    }
}

/// One way in the race.
private final class Runner {
    enum Progress {
        case going
        case greeted
        case failed(WayError)
    }

    let name: String
    let way: any Way
    let start: Instant
    private var descriptor: Descriptor?
    private var slot: PollSet.Slot?

    init(_ name: String, _ way: any Way, since start: Instant) {
        self.name = name
        self.way = way
        self.start = start
    }

    func watch(_ set: inout PollSet) {
        way.watch(&set)
        if let number { slot = set.watch(number, .read) }
    }

    func takeDescriptor() -> Descriptor? { descriptor.take() }

    /// Looks how far it is: a way is there when the other end has said something.
    func advance() -> Progress {
        do throws(WayError) {
            if number == nil {
                guard case .done = try way.progress() else { return .going }
                descriptor = way.take()
            }
            guard let number else { return .going }
            switch try greeting(number) {
            case .again: return .going
            case .done: return .greeted
            }
        } catch {
            return .failed(error)
        }
    }

    private func greeting(_ number: Int32) throws(WayError) -> Attempt<Void> {
        do throws(SystemError) {
            guard case .done(let bytes) = try peek(number, count: 1) else { return .again }
            if !bytes.isEmpty { return .done(()) }
        } catch {
            throw WayError(closedBy: way.peer, error)
        }
        // What the way knows of the end is better than that it ended.
        _ = try way.progress()
        throw WayError(closedBy: way.peer, nil)
    }

    var isOpen: Bool { number != nil }

    private var number: Int32? {
        switch descriptor {
        case .some(let descriptor): descriptor.number
        case .none: nil
        }
    }
}
