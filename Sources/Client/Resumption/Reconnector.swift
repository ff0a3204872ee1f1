internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// Makes a connection again and again until it stands, as the login before it.
///
/// It takes turns of the loop, in which the session's streams and the terminal go on; what it reports
/// is one line that erases itself on a terminal, and in scripts one line for each change.
final class Reconnector {
    /// Thrown out of a turn when nobody wants the connection any more.
    struct Unwanted: Error {}

    /// The search for the first login; it knows what worked.
    private var search: LoginSearch
    private let context: Context
    private let server: VerifiedServer
    private let status: StatusLine
    // Asked for in the middle of a login, when the search is at work.
    private let host: String
    private let whereabouts: Whereabouts?
    /// Goes on where it was when a connection was of no use.
    private var backoff = Backoff()

    /// - Parameters:
    ///   - search: the search that has found the login.
    ///   - server: who was logged in to.
    ///   - context: what the run shares.
    init(_ search: LoginSearch, _ server: VerifiedServer, in context: Context) {
        self.search = search
        self.server = server
        self.context = context
        status = context.linkStatus()
        host = search.plan.options.host
        whereabouts = search.plan.whereabouts
    }

    /// The way that led to the host last.
    var way: WayName? { whereabouts?.way }
    private var poller: Poller { context.poller }

    /// Logs in once, beside a connection that may yet turn out to live.
    /// - Parameter isUnwanted: asked each turn.
    /// - Returns: the connection.
    /// - Throws: ``Unwanted``, or how the try ended.
    func connectOnce(unless isUnwanted: @escaping () -> Bool) throws -> Connection {
        let guardian = Guardian(isUnwanted)
        poller.add(guardian)
        defer { poller.remove(guardian) }
        return try quietly { try search.connectAgain(to: server, asksAgain: false) }
    }

    /// The last connection was of use: the next one is not waited for.
    func noteUse() { backoff = Backoff() }

    /// Tries until a login works.
    /// - Parameters:
    ///   - limit: when to give up.
    ///   - doubts: tells when the network has changed: then it is tried at once.
    ///   - isUnwanted: asked each turn.
    /// - Returns: the connection.
    /// - Throws: ``Unwanted``; ``HostKeyRefusal``, always at once; how the last try ended, when no
    ///   other can end better or the limit has passed.
    func connect(
        until limit: Instant,
        _ doubts: LinkDoubts,
        unless isUnwanted: @escaping () -> Bool
    ) throws -> Connection {
        let guardian = Guardian(isUnwanted)
        poller.add(guardian)
        poller.add(status)
        status.show(
            "the connection to \(host) is lost; connecting again",
            now: readClock(),
            isAnnounced: true
        )
        defer {
            status.clear()
            poller.remove(status)
            poller.remove(guardian)
        }
        var random = SystemRandomNumberGenerator()
        let began = readClock()
        var tries = 0
        var refusals = 0
        var spent = Duration.zero
        var fault: any Error = Unwanted()
        while true {
            let now = readClock()
            let rest = backoff.next(after: now - began, spent: spent, using: &random)
            if tries > 0, now + rest >= limit { throw fault }
            try pause(until: now + rest, doubts)
            let tryBegan = readClock()
            do {
                let asksAgain = tries > 0 && tries % Reconnector.triesPerLookup == 0
                let connection = try quietly {
                    try search.connectAgain(to: server, asksAgain: asksAgain)
                }
                let seconds = (readClock() - began).components.seconds
                status.announce("connected to \(host) again after \(seconds) s")
                return connection
            } catch let unwanted as Unwanted {
                throw unwanted
            } catch let refusal as HostKeyRefusal {
                throw refusal
            } catch let refusal as LoginRefused {
                // A server that is only half up refuses, too.
                refusals += 1
                if refusals >= Reconnector.mostRefusals { throw refusal }
                fault = refusal
            } catch {
                context.trace.debug(.debug1, .link, "no connection yet: \(error)")
                fault = error
            }
            tries += 1
            spent = readClock() - tryBegan
        }
    }

    /// An instance that was stopped and started has another address.
    private static let triesPerLookup = 4
    private static let mostRefusals = 3

    private func pause(until end: Instant, _ doubts: LinkDoubts) throws {
        if end <= readClock() { return }
        let signals = poller.signals
        let resumes = signals.count(of: .resume)
        let changes = doubts.networkChanges
        _ = try poller.wait(until: end) { () -> Attempt<Void> in
            // The pause was for the network as it was then.
            let isAnother =
                signals.count(of: .resume) != resumes || doubts.networkChanges != changes
            return isAnother ? .done(()) : .again
        }
    }

    /// What a first login tells the user is not told again.
    private func quietly<Value>(_ work: () throws -> Value) rethrows -> Value {
        let trace = context.trace
        let level = trace.level
        if level < .debug1 { trace.level = min(level, .fatal) }
        defer { trace.level = level }
        return try work()
    }
}

/// Ends a wait that is not wanted any more.
private final class Guardian: Source {
    private let isUnwanted: () -> Bool

    init(_ isUnwanted: @escaping () -> Bool) { self.isUnwanted = isUnwanted }

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) {}
    func ready(_ set: PollSet, now: Instant) throws {
        if isUnwanted() { throw Reconnector.Unwanted() }
    }
}
