internal import Glibc
internal import Synchronization

/// Keeps signals from doing anything for a short time, such as while a terminal shows no echo.
///
/// Their former meaning comes back with ``release()``, which tells which came, so that they can be
/// raised again. One at a time in a process.
public final class HeldSignals {
    private let pipe: DescriptorPair
    private var former: [(Signal, sigaction)] = []

    /// Prepares to hold signals; none is held yet.
    /// - Throws: ``SystemError`` when there is no descriptor left.
    public init() throws(SystemError) {
        pipe = try makePipe()
        try setNonBlocking(pipe.far.number)
        heldFlags.store(0, ordering: .releasing)
        heldWriter.store(pipe.far.number, ordering: .releasing)
    }

    deinit { release() }

    /// Holds signals from now on; system calls are interrupted by them (EINTR).
    ///
    /// C: `sigaction`.
    /// - Parameter signals: which.
    public func hold(_ signals: [Signal]) {
        for signal in signals {
            var old = sigaction()
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = noteHeldSignal
            unsafe sigaction(signal.rawValue, &action, &old)
            former.append((signal, old))
        }
    }

    /// Whether a signal came.
    /// - Parameter signal: which; nil for any.
    /// - Returns: true until the signals are released.
    public func hasCome(_ signal: Signal? = nil) -> Bool {
        let flags = heldFlags.load(ordering: .acquiring)
        return flags & (signal.map { 1 << UInt64($0.rawValue) } ?? .max) != 0
    }

    /// What reading a byte came to.
    public enum Reading: Sendable, Equatable {
        /// A byte was there.
        case byte(UInt8)
        /// There is nothing more, or it cannot be read.
        case end
        /// A held signal came.
        case signal
    }

    /// Reads one byte, waiting for it or for a held signal; not one byte too many is taken.
    ///
    /// C: `poll`, `read`.
    /// - Parameter number: an open descriptor.
    /// - Returns: what it came to.
    public func readByte(_ number: Int32) -> Reading {
        while !hasCome() {
            var entries = [
                pollfd(fd: number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipe.near.number, events: Int16(POLLIN), revents: 0),
            ]
            let count = unsafe poll(&entries, nfds_t(entries.count), -1)
            if count == -1 && errno != EINTR { return .end }
            if count < 1 || entries[0].revents == 0 { continue }
            var byte: UInt8 = 0
            switch unsafe read(number, &byte, 1) {
            case 1: return .byte(byte)
            case -1 where errno == EINTR || errno == EAGAIN: continue
            default: return .end
            }
        }
        return .signal
    }

    /// Gives the signals their former meaning back.
    /// - Returns: those that came, each once.
    @discardableResult
    public func release() -> [Signal] {
        for (signal, action) in former.reversed() {
            var action = action
            unsafe sigaction(signal.rawValue, &action, nil)
        }
        let came = former.map(\.0).filter { hasCome($0) }
        former = []
        return came
    }
}

private let heldWriter = Atomic<Int32>(-1)
private let heldFlags = Atomic<UInt64>(0)

/// The handler: async-signal-safe by using atomics and write(2) alone.
private func noteHeldSignal(_ number: Int32) {
    let saved = errno
    heldFlags.bitwiseOr(1 << UInt64(number), ordering: .acquiringAndReleasing)
    var byte: UInt8 = 0
    unsafe write(heldWriter.load(ordering: .acquiring), &byte, 1)
    errno = saved
}

/// Sends a signal to ourselves; it does what it means now.
///
/// C: `kill`.
/// - Parameter signal: which.
public func sendToSelf(_ signal: Signal) { kill(getpid(), signal.rawValue) }
