internal import Glibc

/// A point of time for deadlines: monotonic, going on while the machine sleeps or not as the
/// system's CLOCK_MONOTONIC does.
public typealias Instant = ContinuousClock.Instant

/// Reads the time once; the loop does it once per turn and hands it on.
/// - Returns: now.
public func readClock() -> Instant { ContinuousClock.now }
