internal import Faults
internal import Posix
internal import Synchronization

/// What a tunnel tells the loop.
enum TunnelEvent: Sendable {
    /// What it does, for the trace.
    case said(Trace.Level, Layer, String)
    /// The first bytes have come from the instance.
    case opened
    /// It leads nowhere, or does not any more.
    case failed(WayError)
    /// It has come to its end; nothing follows.
    case finished
}

/// What a tunnel's work has of its way: whom to tell, and when to stop.
final class TunnelControl: Sendable {
    private struct Stopping: Sendable {
        var isAsked = false
        var action: (@Sendable () -> Void)?
    }

    private let mailbox: Mailbox<TunnelEvent>
    private let stopping = Mutex(Stopping())

    init(_ mailbox: Mailbox<TunnelEvent>) { self.mailbox = mailbox }

    func tell(_ event: TunnelEvent) { mailbox.send(event) }

    func say(_ text: String, _ level: Trace.Level = .debug1) { tell(.said(level, .network, text)) }

    /// Whether nobody wants the tunnel any more.
    var isStopped: Bool { stopping.withLock(\.isAsked) }

    /// Says that nobody wants the tunnel any more.
    func stop() {
        let action = stopping.withLock { stopping in
            stopping.isAsked = true
            return stopping.action.take()
        }
        action?()
    }

    /// Names what is to be done when nobody wants the tunnel any more; at once if that is so.
    func onStop(_ action: @escaping @Sendable () -> Void) {
        let isLate = stopping.withLock { stopping in
            if !stopping.isAsked { stopping.action = action }
            return stopping.isAsked
        }
        if isLate { action() }
    }
}
