internal import Posix

/// An open file that processes lock one after the other; the lock goes with it.
final class CacheLock: Sendable {
    private let file: Descriptor
    private let path: String

    init(_ file: consuming Descriptor, _ path: String) {
        self.file = file
        self.path = path
    }

    /// Removes the file, for locks of which there are many.
    ///
    /// Who waits for it goes on; who comes later makes a new one, so that for once two may have it.
    func remove() { try? removeFile(path) }

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
