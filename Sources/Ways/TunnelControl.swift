internal import Faults
internal import Posix
internal import Synchronization

/// What a tunnel tells the loop.
enum TunnelEvent: Sendable {
    /// What it does, for the trace.
    case said(Trace.Level, Layer, String)
    /// The first bytes have come from the instance, or the agent is there.
    case opened
    /// The agent could not connect for one of its connections.
    case refused
    /// It leads nowhere, or does not any more.
    case failed(WayError)
    /// It has come to its end; nothing follows.
    case finished
}

/// What the loop asks of a tunnel.
enum TunnelOrder: Sendable {
    /// Tell a shell the size of its terminal.
    case resize(columns: Int, rows: Int)
    /// Carry one more connection.
    case connect(HandedDescriptor)
}

/// A descriptor on its way from one thread to another; closed if nobody takes it.
final class HandedDescriptor: Sendable {
    private let number: Mutex<Int32?>

    init(_ descriptor: consuming Descriptor) { number = Mutex(descriptor.release()) }

    deinit { _ = take().map { Descriptor(owning: $0) } }

    /// Hands it over, once.
    func take() -> Int32? { number.withLock { $0.take() } }
}

/// What a tunnel's work has of its way: whom to tell, what to do, and when to stop.
final class TunnelControl: Sendable {
    private struct Stopping: Sendable {
        var isAsked = false
        var action: (@Sendable () -> Void)?
    }

    private struct Orders: Sendable {
        var waiting: [TunnelOrder] = []
        var action: (@Sendable (TunnelOrder) -> Void)?
    }

    private let mailbox: Mailbox<TunnelEvent>
    private let stopping = Mutex(Stopping())
    private let orders = Mutex(Orders())

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

    /// Asks the tunnel for something; it is done in the order it was asked for.
    func order(_ order: TunnelOrder) {
        orders.withLock { orders in
            if let action = orders.action { action(order) } else { orders.waiting.append(order) }
        }
    }

    /// Names who does what is asked for; it is called with a lock held, and only hands on.
    func onOrder(_ action: @escaping @Sendable (TunnelOrder) -> Void) {
        orders.withLock { orders in
            orders.action = action
            orders.waiting.forEach(action)
            orders.waiting = []
        }
    }
}
