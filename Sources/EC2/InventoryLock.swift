internal import Posix

/// An open file that processes lock one after the other; the lock goes with it.
final class InventoryLock: Sendable {
    private let file: Descriptor

    init(_ file: consuming Descriptor) { self.file = file }

    /// Takes the lock unless somebody else has it.
    /// - Returns: false when somebody has; what cannot be locked at all counts as locked.
    func take() -> Bool {
        if case .again? = try? tryLock(file.number) { return false }
        return true
    }

    /// Waits for the lock, on a thread of its own: those of Swift's pool have to be free for the
    /// answer of AWS that the other one waits for.
    /// - Parameter shared: whether all who wait like this get it at once.
    func wait(shared: Bool) async {
        await withCheckedContinuation { continuation in
            do throws(SystemError) {
                // Nobody takes the result from the thread: it ends by itself.
                _ = try Helper { [self] in
                    try? lock(file.number, shared: shared)
                    continuation.resume()
                }
            } catch {
                continuation.resume()
            }
        }
    }
}
