/// Whether a link lives, from what is asked and what comes back.
///
/// A side that is asked nothing need not answer: silence counts only while something is unanswered,
/// or while bytes wait that the link does not take.
struct Heartbeat {
    typealias Instant = ContinuousClock.Instant

    /// Between pings on a quiet link: well below the 350 s after which EC2 forgets idle connections.
    static let idle = Duration.seconds(15)
    static let suspectFloor = Duration.seconds(1)
    static let deadFloor = Duration.seconds(3)
    /// For the first answer on a link: an interpreter has to start on a host that may be busy.
    ///
    /// Twice as long after each link that was not answered, up to 80 s.
    static let greetingPatience = Duration.seconds(10)

    /// The smoothed round trip (RFC 6298 §2), once one was measured.
    private(set) var roundTrip: Duration?
    private var heard: Instant
    private var asked: (number: UInt64, at: Instant)?
    private var stuckSince: Instant?
    private var isProbeDue = false
    private var lastNumber: UInt64 = 0
    private var isGreeted = false
    /// Whether a question of this link's was answered.
    private(set) var isAnswered = false
    private let greetingPatience: Duration
    /// How many times as long as otherwise silence is put up with.
    private let patience: Int

    /// A link begins now.
    /// - Parameters:
    ///   - roundTrip: what is known of it before.
    ///   - failures: how many links before were not answered at all; each makes for more patience.
    ///   - silences: how many before were greeted, and then fell silent without one answer. A host
    ///     that is that busy is not helped by one login after the other.
    ///   - forbearance: how many times as long as otherwise silence is put up with.
    ///   - now: the time.
    init(
        roundTrip: Duration?,
        failures: Int = 0,
        silences: Int = 0,
        forbearance: Int = 1,
        now: Instant
    ) {
        self.roundTrip = roundTrip
        patience = forbearance << min(silences, 3)
        greetingPatience = Heartbeat.greetingPatience * (1 << min(failures, 3))
        heard = now
        stuckSince = now
    }

    /// Something came.
    mutating func noteHeard(_ now: Instant) { heard = now }

    /// The other side has answered the greeting: from now on answers are quick.
    mutating func noteGreeted(_ now: Instant) {
        isGreeted = true
        heard = now
        stuckSince = nil
    }

    /// Whether bytes wait that the link has not taken.
    mutating func noteWaiting(_ isWaiting: Bool, _ now: Instant) {
        guard isGreeted else { return }
        stuckSince = isWaiting ? stuckSince ?? now : nil
    }

    /// Nobody looked at the link for a while, so its silence says nothing; asks anew.
    mutating func excuse(_ now: Instant) {
        heard = now
        isProbeDue = true
    }

    /// Asks at the next opportunity.
    mutating func probe() { isProbeDue = true }

    /// Whether a ping is to be sent.
    func isPingDue(_ now: Instant, withData: Bool) -> Bool {
        guard isGreeted, asked == nil else { return false }
        return withData || isProbeDue || now - heard >= Heartbeat.idle
    }

    /// A ping is being sent, or another question.
    /// - Returns: its number.
    mutating func ask(_ now: Instant) -> UInt64 {
        lastNumber += 1
        asked = (lastNumber, now)
        isProbeDue = false
        return lastNumber
    }

    /// A ping was answered.
    mutating func notePong(_ number: UInt64, _ now: Instant) {
        guard let asked, asked.number == number else { return }
        self.asked = nil
        isAnswered = true
        let time = now - asked.at
        roundTrip = roundTrip.map { $0 * 7 / 8 + time / 8 } ?? time
    }

    /// Since when something is unanswered; nil when nothing is.
    private var waitingSince: Instant? {
        let question = [asked?.at, stuckSince].compactMap(\.self).min()
        return question.map { max($0, heard) }
    }

    /// When the link becomes suspect, if nothing comes.
    private var suspectAt: Instant? {
        guard isGreeted else { return nil }
        return waitingSince.map {
            $0 + max(Heartbeat.suspectFloor, (roundTrip ?? .zero) * 4) * patience
        }
    }

    /// When it is given up, if nothing comes.
    private var deadAt: Instant? {
        waitingSince.map {
            let limit = max(Heartbeat.deadFloor, (roundTrip ?? .zero) * 6) * patience
            return $0 + (isGreeted ? limit : greetingPatience)
        }
    }

    func verdict(_ now: Instant) -> ResumeSession.Liveness {
        if let deadAt, now >= deadAt { return .dead }
        if let suspectAt, now >= suspectAt { return .suspect }
        return .alive
    }

    /// When something is to be done or said next.
    func deadline(_ now: Instant) -> Instant? {
        let ping = isGreeted && asked == nil ? heard + Heartbeat.idle : nil
        return [ping, suspectAt, deadAt].compactMap(\.self).filter { $0 > now }.min()
    }
}
