internal import Glibc

/// A point of time for deadlines: monotonic, going on while the machine sleeps or not as the
/// system's CLOCK_MONOTONIC does.
public typealias Instant = ContinuousClock.Instant

/// Reads the time once; the loop does it once per turn and hands it on.
/// - Returns: now.
public func readClock() -> Instant { ContinuousClock.now }

/// How long the machine has slept since it was started, as far as its clocks tell.
///
/// C: `clock_gettime`, CLOCK_BOOTTIME less CLOCK_MONOTONIC.
/// - Returns: what grows while the machine is suspended, and only then.
public func timeAsleep() -> Duration {
    let boot = ContinuousClock().systemEpoch.duration(to: .now)
    let awake = SuspendingClock().systemEpoch.duration(to: .now)
    return boot - awake
}
