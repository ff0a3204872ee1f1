internal import Glibc
internal import Synchronization

/// Where other threads leave values for the loop: the one border between the two worlds.
///
/// Anybody sends, one thread takes. A pipe makes the loop wake up; it holds at most one byte, however
/// many values there are.
public final class Mailbox<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var values: [Value] = []
        var isWaking = false
    }

    private let state = Mutex(State())
    private let near: Int32
    private let far: Int32

    /// Readable as long as there are values to take.
    public var number: Int32 { near }

    /// Makes an empty mailbox.
    /// - Throws: ``SystemError`` when there is no descriptor left.
    public init() throws(SystemError) {
        let pipe = try makePipe()
        try setNonBlocking(pipe.near.number)
        try setNonBlocking(pipe.far.number)
        far = try pipe.far.duplicate().release()
        near = try pipe.near.duplicate().release()
    }

    deinit {
        close(near)
        close(far)
    }

    /// Leaves a value and wakes the loop; from any thread.
    /// - Parameter value: what the loop is to have.
    public func send(_ value: Value) {
        state.withLock { state in
            state.values.append(value)
            if state.isWaking { return }
            state.isWaking = true
            var byte: UInt8 = 1
            _ = unsafe write(far, &byte, 1)
        }
    }

    /// Takes everything that was left.
    /// - Returns: the values in the order they came; empty if there are none.
    public func take() -> [Value] {
        state.withLock { state in
            guard state.isWaking else { return [] }
            state.isWaking = false
            var byte: UInt8 = 0
            _ = unsafe read(near, &byte, 1)
            defer { state.values = [] }
            return state.values
        }
    }
}
