/// A seeded source of choices, so that every case can be made again (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

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
