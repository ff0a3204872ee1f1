internal import Faults
internal import Posix

/// The way to the X server: a client's first message is checked before anything passes.
final class X11Gate: ByteEndpoint {
    /// Called when the client is not let in.
    var onRefused: () -> Void = {}

    private let socket: SocketEnd
    private let forwarding: X11Forwarding
    private let trace: Trace
    /// Nil once the message has passed.
    private var greeting: X11Greeting?
    /// What of the message the socket has not taken.
    private var waiting: ArraySlice<UInt8> = []
    /// Whether the next byte offered is the message's last, which is in ``waiting`` already.
    private var isByteHeld = false

    init(_ socket: SocketEnd, _ forwarding: X11Forwarding, trace: Trace) {
        self.socket = socket
        self.forwarding = forwarding
        self.trace = trace
        greeting = X11Greeting(given: forwarding.given, real: forwarding.real)
    }

    var number: Int32? { socket.number }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        unsafe try socket.read(into: buffer)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Attempt<Int> {
        if greeting != nil { return .done(unsafe check(bytes)) }
        while !waiting.isEmpty {
            let result = unsafe waiting.withUnsafeBytes { rest in
                Result { () throws(SystemError) in unsafe try socket.write(rest) }
            }
            guard case .done(let count) = try result.get() else { return .again }
            waiting = waiting.dropFirst(count)
        }
        if isByteHeld {
            isByteHeld = false
            return .done(1)
        }
        return unsafe try socket.write(bytes)
    }

    func close() { socket.close() }

    /// Shows the client's next bytes to the check.
    /// - Returns: bytes taken. The last one is left when the message is complete, so that it is
    ///   offered again until the socket has taken the message.
    private func check(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard forwarding.isOpen(readClock()) else {
            trace.say(.verbose, "Rejected X11 connection after ForwardX11Timeout expired")
            return refuse(bytes.count)
        }
        switch unsafe greeting?.take(bytes) {
        case .passed(let message):
            greeting = nil
            waiting = message[...]
            isByteHeld = true
            return bytes.count - 1
        case .refused(let reason):
            trace.debug(.debug2, .channel, reason)
            return refuse(bytes.count)
        case .incomplete, nil:
            return bytes.count
        }
    }

    private func refuse(_ count: Int) -> Int {
        trace.say(.info, "X11 connection rejected because of wrong authentication.")
        onRefused()
        return count
    }
}
