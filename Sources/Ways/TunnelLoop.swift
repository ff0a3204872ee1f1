internal import NIOCore
internal import NIOPosix

/// The one thread that carries tunnels; it begins with the first of them.
///
/// What lives on it is used on it alone, and is handed about in `NIOLoopBound`, which checks that.
enum TunnelLoop {
    static let loop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

    /// Makes something that lives on the loop.
    static func make<Value>(
        _ value: @escaping @Sendable () throws -> Value
    ) async throws
        -> NIOLoopBound<Value>
    {
        try await loop.submit { NIOLoopBound(try value(), eventLoop: loop) }.get()
    }

    /// Makes something that lives on the loop, and cannot fail.
    static func made<Value>(_ value: @escaping @Sendable () -> Value) async -> NIOLoopBound<Value> {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: NIOLoopBound(value(), eventLoop: loop)) }
        }
    }
}
