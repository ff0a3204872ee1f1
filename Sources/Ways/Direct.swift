public import Faults
public import Posix

/// The way of a TCP connection from here, over whichever of the host's addresses answers first.
///
/// As sshconnect.c's `ssh_connect_direct`, but with the addresses raced (``AddressRace``).
public final class Direct: Way {
    private enum State {
        case resolving(AddressLookup)
        case connecting(ConnectionRound)
        case pausing(until: Instant)
        case connected
        case failed(WayError)
    }

    /// ssh sleeps this long between two attempts.
    private static let pause = Duration.seconds(1)

    private let parameters: DirectParameters
    private let trace: Trace
    private var state: State
    private var answer: AddressLookup.Answer?
    private var attemptsLeft: Int
    private var socket: Descriptor?

    /// The address that answered.
    public private(set) var peer: SocketAddress?

    /// Begins to look the host up, or to connect when its address is known.
    /// - Parameters:
    ///   - parameters: what to connect to.
    ///   - trace: told each step as `ssh -v` tells it.
    public init(_ parameters: DirectParameters, trace: Trace) {
        self.parameters = parameters
        self.trace = trace
        attemptsLeft = max(parameters.attempts, 1)
        do throws(SystemError) {
            state = .resolving(try AddressLookup(parameters))
            advance(nil, now: readClock())
        } catch {
            state = .failed(WayError(local: error))
        }
    }

    /// Tells how far it is.
    /// - Returns: done when there is a connection.
    /// - Throws: ``WayError`` with OpenSSH's words.
    public func progress() throws(WayError) -> Attempt<Void> {
        switch state {
        case .resolving, .connecting, .pausing: return .again
        case .connected: return .done(())
        case .failed(let error): throw error
        }
    }

    /// Hands over the connection, once.
    /// - Returns: a non-blocking socket; nil as long as there is none, and after it was taken.
    public func take() -> Descriptor? { socket.take() }

    /// Nothing outlives the connection.
    public func end() {}

    // MARK: - Source

    /// Asks for the lookups' and the sockets' events.
    public func watch(_ set: inout PollSet) {
        switch state {
        case .resolving(let lookup): lookup.watch(&set)
        case .connecting(let round): round.watch(&set)
        case .pausing, .connected, .failed: break
        }
    }

    /// When an address is due to be tried or given up.
    public var deadline: Instant? {
        switch state {
        case .connecting(let round): round.deadline
        case .pausing(let end): end
        case .resolving, .connected, .failed: nil
        }
    }

    /// Does the next step.
    /// - Parameters:
    ///   - set: what happened.
    ///   - now: the time of this turn.
    public func ready(_ set: PollSet, now: Instant) { advance(set, now: now) }

    private func advance(_ set: PollSet?, now: Instant) {
        switch state {
        case .resolving(let lookup):
            guard let answer = lookup.answer else { return }
            self.answer = answer
            beginRound(now: now)
        case .connecting(let round):
            finish(round.advance(set, now: now), now: now)
        case .pausing(let end) where now >= end:
            trace.say(.debug1, "debug1: Trying again...")
            beginRound(now: now)
        case .pausing, .connected, .failed:
            break
        }
    }

    private func beginRound(now: Instant) {
        guard let answer else { return }
        switch answer.addresses {
        case .failure(let error):
            state = .failed(WayError(error))
        case .success(let addresses):
            let round = ConnectionRound(addresses, from: answer.own, parameters, trace)
            state = .connecting(round)
            finish(round.advance(nil, now: now), now: now)
        }
    }

    private func finish(_ outcome: ConnectionRound.Outcome, now: Instant) {
        switch outcome {
        case .going:
            break
        case .won(let connection):
            adopt(connection)
        case .lost(let error):
            attemptsLeft -= 1
            state =
                attemptsLeft > 0
                ? .pausing(until: now + Direct.pause)
                : .failed(WayError(host: parameters.host, port: parameters.port, error))
        }
    }

    private func adopt(_ connection: Connection) {
        trace.say(.debug1, "debug1: Connection established.")
        peer = connection.address
        state = .connected
        guard let taken = connection.take() else { return }
        // SSH sends small packets and waits for their answers.
        try? setNoDelay(taken.number)
        if parameters.keepsAlive {
            do throws(SystemError) {
                try setKeepAlive(taken.number)
            } catch {
                trace.say(.error, "setsockopt SO_KEEPALIVE: \(error.reason)")
            }
        }
        socket = consume taken
    }
}
