internal import NIOCore

/// Runs what tunnels do between their bytes (asking AWS, opening websockets) on their own thread, so
/// that it waits for nobody else's.
final class TunnelExecutor: TaskExecutor {
    static let shared = TunnelExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        TunnelLoop.loop.execute {
            unsafe job.runSynchronously(on: TunnelExecutor.shared.asUnownedTaskExecutor())
        }
    }
}
