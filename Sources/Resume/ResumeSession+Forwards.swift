/// Forwarded connections, and listeners on the host.
///
/// They live in the session: a broken link does not end them. What the other side does not take
/// stops its own stream and nothing else.
extension ResumeSession {
    /// Has a connection made from the host; ``Event/opened(_:)`` or
    /// ``Event/openRefused(_:reason:text:)`` follows.
    /// - Parameters:
    ///   - place: where to.
    ///   - originator: the address that it is made for.
    ///   - originatorPort: the port that it is made for.
    /// - Returns: its stream.
    public mutating func open(
        _ place: Place,
        originator: String = "127.0.0.1",
        originatorPort: UInt16 = 0
    ) -> UInt32 {
        let stream = nextStream
        nextStream += 2
        streams[stream] = StreamFlow(
            credit: 0,
            window: ResumeSession.forwardWindow,
            isOpen: false
        )
        put(
            StreamFrame.make(
                open: stream,
                window: ResumeSession.forwardWindow,
                to: place,
                originator: originator,
                port: originatorPort
            )
        )
        return stream
    }

    /// Takes a connection that was offered; data may flow at once.
    /// - Parameter stream: of the ``Offer``.
    public mutating func accept(_ stream: UInt32) {
        guard stream % 2 == 1, let flow = streams[stream], !flow.isOpen else { return }
        update(stream) { $0.isOpen = true }
        put(
            StreamFrame.make(StreamFrame.opened, stream, UInt32(ResumeSession.forwardWindow))
        )
    }

    /// Does not take a connection that was offered.
    /// - Parameters:
    ///   - stream: of the ``Offer``.
    ///   - reason: a number of RFC 4254 §5.1.
    ///   - text: in words.
    public mutating func refuse(_ stream: UInt32, reason: UInt8, _ text: String) {
        guard stream % 2 == 1, let flow = streams[stream], !flow.isOpen else { return }
        forget(stream)
        put(StreamFrame.make(refused: stream, reason, text))
    }

    /// Is done with a connection; nothing comes of it any more.
    /// - Parameters:
    ///   - stream: a stream that is open, or is being opened from here.
    ///   - isReset: whether what is on its way to the other end is dropped; false after
    ///     ``end(_:)`` and ``Event/ended(_:)``.
    public mutating func close(_ stream: UInt32, isReset: Bool = false) {
        guard stream != ResumeSession.main, let flow = streams[stream], !flow.hasSentClose else {
            return
        }
        update(stream) { $0.hasSentClose = true }
        put(StreamFrame.make(close: stream, isReset: isReset))
    }

    /// Has the host listen; ``Event/listening(_:port:)`` or ``Event/notListening(_:text:)``
    /// follows, and then an ``Offer`` for each connection.
    /// - Parameter place: an address as in RFC 4254 §7.1 and a port, 0 for any; or a path.
    /// - Returns: the listener.
    public mutating func listen(_ place: Place) -> UInt32 {
        defer { nextListener += 1 }
        put(StreamFrame.make(listen: nextListener, at: place))
        return nextListener
    }

    /// Has the host listen no longer; connections that came stay.
    public mutating func unlisten(_ listener: UInt32) {
        put(StreamFrame.make(StreamFrame.unlisten, listener))
    }
}
