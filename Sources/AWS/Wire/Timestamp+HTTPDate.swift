extension Timestamp {
    /// Reads `Sat, 21 Nov 2026 14:20:48 GMT` (RFC 9110 §5.6.7).
    init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT",
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        self.init("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }

    /// `2025-01-02T03:04:05` and what follows, as in AWS's caches.
    /// - Parameter zone: what follows, such as `Z`.
    /// - Returns: the time in UTC.
    public func iso(_ zone: String) -> String {
        let text = basic
        func part(_ begin: Int, _ count: Int) -> Substring { text.dropFirst(begin).prefix(count) }
        return "\(part(0, 4))-\(part(4, 2))-\(part(6, 2))"
            + "T\(part(9, 2)):\(part(11, 2)):\(part(13, 2))\(zone)"
    }
}

private let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]
