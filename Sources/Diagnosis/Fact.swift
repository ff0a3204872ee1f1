/// Something that is found out once, for all who ask; begun as soon as it is made.
struct Fact<Value: Sendable>: Sendable {
    private let task: Task<Value, Never>

    /// Begins to find out.
    init(_ work: @escaping @Sendable () async -> Value) { task = Task.detached { await work() } }

    /// Waits for somebody who finds out elsewhere.
    /// - Returns: the fact, and what makes it known, once.
    static func promised(_ absent: Value) -> (fact: Fact<Value>, keep: @Sendable (Value) -> Void) {
        let (stream, inlet) = AsyncStream.makeStream(of: Value.self)
        let fact = Fact {
            for await value in stream { return value }
            return absent
        }
        return (
            fact,
            { value in
                inlet.yield(value)
                inlet.finish()
            }
        )
    }

    var value: Value { get async { await task.value } }
}
