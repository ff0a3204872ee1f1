/// A point in time in the forms that AWS uses; seconds since 1970, UTC, without leap seconds.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64

    /// Names a point in time.
    /// - Parameter seconds: seconds since 1970-01-01T00:00:00Z.
    public init(seconds: Int64) { self.seconds = seconds }

    /// Reads `2025-01-02T03:04:05Z`, with or without a fraction, with `Z`, `UTC` or an offset.
    /// - Parameter text: as in credentials' expiry (RFC 3339, and what AWS's tools write).
    public init?(_ text: String) {
        var rest = text.utf8[...]
        guard let year = take(4, "-", &rest), let month = take(2, "-", &rest),
            let day = take(2, "Tt ", &rest), let hour = take(2, ":", &rest),
            let minute = take(2, ":", &rest), let second = take(2, "", &rest),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst().drop { (0x30...0x39).contains($0) }
        }
        guard let offset = Timestamp.offset(String(decoding: rest, as: UTF8.self)) else {
            return nil
        }
        let days = daysSince1970(year: year, month: month, day: day)
        seconds = Int64(((days * 24 + hour) * 60 + minute - offset) * 60 + second)
    }

    /// Minutes east of Greenwich.
    private static func offset(_ text: String) -> Int? {
        if ["Z", "z", "UTC", ""].contains(text) { return 0 }
        var rest = text.utf8.dropFirst()
        guard let sign = text.utf8.first, let hours = take(2, "", &rest) else { return nil }
        if rest.first == UInt8(ascii: ":") { rest = rest.dropFirst() }
        guard let minutes = take(2, "", &rest), rest.isEmpty else { return nil }
        switch sign {
        case UInt8(ascii: "+"): return hours * 60 + minutes
        case UInt8(ascii: "-"): return -(hours * 60 + minutes)
        default: return nil
        }
    }

    /// As in `X-Amz-Date`: `20250102T030405Z`.
    public var basic: String {
        let (date, time) = split
        let clock = digits(time / 3600, 2) + digits(time / 60 % 60, 2) + digits(time % 60, 2)
        return "\(digits(date.year, 4))\(digits(date.month, 2))\(digits(date.day, 2))T\(clock)Z"
    }

    /// The day alone, as in a credential's scope: `20250102`.
    public var day: String { String(basic.prefix(8)) }

    private var split: (date: (year: Int, month: Int, day: Int), time: Int) {
        let perDay = 86_400
        let whole = Int(seconds)
        let time = ((whole % perDay) + perDay) % perDay
        return (civilDate(daysSince1970: (whole - time) / perDay), time)
    }

    /// Earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }
}

/// Takes a number of so many digits, and one of the separators after it unless there is none.
private func take(
    _ count: Int,
    _ separators: String,
    _ rest: inout String.UTF8View.SubSequence
)
    -> Int?
{
    let text = rest.prefix(count)
    guard text.count == count, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    rest = rest.dropFirst(count)
    if !separators.isEmpty {
        guard let next = rest.first, separators.utf8.contains(next) else { return nil }
        rest = rest.dropFirst()
    }
    return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
}

private func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}

/// The Gregorian calendar in years that begin in March, so that the leap day is the last.
private func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

private func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
        (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
    return (
        year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
        day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    )
}
