internal import Glibc

/// Reads the calendar's time, which somebody may set; for what others are told, not for deadlines.
///
/// C: `time`.
/// - Returns: seconds since 1970-01-01T00:00:00Z.
public func readWallClock() -> Int64 { Int64(time(nil)) }
