internal import Glibc
internal import Synchronization

/// Does something that blocks (a name lookup, an agent that waits for a touch) beside the loop.
///
/// The work gets and gives Sendable values only. Dropping this value abandons the work: its thread
/// ends when it ends, and its result goes nowhere. After a fork the work is lost.
///
/// C: `pthread_create`.
public final class Helper<Value: Sendable> {
    private let done: Descriptor
    private let result: Box<Value>

    /// Becomes readable, or is hung up, when the work is done: any event on it means ``take()``.
    public var number: Int32 { done.number }

    /// Starts the work on a thread of its own, which signals never interrupt.
    /// - Parameter work: what to do.
    /// - Throws: ``SystemError`` when there is no thread or descriptor left.
    public init(_ work: @escaping @Sendable () -> Value) throws(SystemError) {
        let pipe = try makePipe()
        let box = Box<Value>()
        result = box
        done = pipe.near
        let far = pipe.far.release()
        let code = startThread {
            let value = work()
            box.value.withLock { $0 = value }
            close(far)
        }
        if code != 0 {
            close(far)
            throw SystemError("pthread_create", code: code)
        }
    }

    /// Takes what the work gave.
    /// - Returns: nil as long as it is not done, and after it was taken.
    public func take() -> Value? {
        result.value.withLock { value in
            defer { value = nil }
            return value
        }
    }
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// - Returns: 0, or the errno value of pthread_create.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

    // The thread inherits this mask: signals are for the loop's thread alone.
    var all = sigset_t()
    var old = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &old, nil) }

    var thread = pthread_t()
    let work = unsafe Unmanaged.passRetained(Work(body))
    let code = unsafe pthread_create(
        &thread,
        &attributes,
        { argument in
            if let argument = unsafe argument {
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
            }
            return nil
        },
        work.toOpaque()
    )
    if code != 0 { unsafe work.release() }
    return code
}
