internal import Glibc

/// The half of a fork that goes on in the background, when the other waits to hear that all is well.
///
/// For what has threads before it can go to the background: they would not go through a later fork.
public final class ForkedProcess {
    private let ready: Descriptor

    private init(_ ready: consuming Descriptor) { self.ready = ready }

    /// Becomes two processes, of which only the second one returns.
    ///
    /// The first one waits for it, and ends with status 0 when that calls ``letGo()``, or as that
    /// ends.
    /// Until then both belong to the terminal: Ctrl-C ends both, and questions can be asked.
    /// - Parameter signals: the process's signals.
    /// - Returns: what lets the first one go.
    /// - Throws: ``SystemError``; EAGAIN when there cannot be another process.
    public static func begin(_ signals: Signals) throws(SystemError) -> ForkedProcess {
        let pipe = try makePipe()
        switch try forkProcess() {
        case .child:
            try signals.part()
            return ForkedProcess(try pipe.far.duplicate())
        case .parent(let id):
            wait(for: Child(pid: id), pipe)
        }
    }

    private static func wait(for child: Child, _ pipe: consuming DescriptorPair) -> Never {
        let near = pipe.near.release()
        // The child alone has it now, and its end tells of the child's.
        close(pipe.far.release())
        var byte: UInt8 = 0
        while true {
            let count = unsafe Glibc.read(near, &byte, 1)
            if count == 1 { exitProcess(0) }
            if count == 0 || errno != EINTR { break }
        }
        switch child.wait() {
        case .exited(let status)?: exitProcess(status)
        case .killed, .unknown, nil: exitProcess(255)
        }
    }

    /// Lets the first process end, and leaves the terminal.
    ///
    /// C: `setsid`.
    public func letGo() {
        setsid()
        var byte: UInt8 = 1
        _ = unsafe write(ready.number, &byte, 1)
    }
}
