internal import NIOCore

extension NIOLoopBound {
    /// Does something with the value on its loop, without waiting for it.
    func execute(_ body: @escaping @Sendable (Value) -> Void) {
        TunnelLoop.loop.execute { body(value) }
    }

    /// Makes something out of the value on its loop.
    func with<Result>(
        _ body: @escaping @Sendable (Value) -> Result
    ) async -> NIOLoopBound<Result> {
        await withCheckedContinuation { continuation in
            TunnelLoop.loop.execute {
                continuation.resume(
                    returning: NIOLoopBound<Result>(body(value), eventLoop: TunnelLoop.loop)
                )
            }
        }
    }

    /// Looks at the value on its loop.
    func get<Result: Sendable>(_ body: @escaping @Sendable (Value) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            TunnelLoop.loop.execute { continuation.resume(returning: body(value)) }
        }
    }
}
