import TestSupport

/// Choices, so that every case can be made again.
extension Seeded {
    /// A number from 0 to below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of several.
    mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

    /// A number of values, made one by one.
    mutating func some(_ range: ClosedRange<Int>, _ make: (inout Self) -> String) -> [String] {
        (0..<(range.lowerBound + below(range.count))).map { _ in make(&self) }
    }
}
