extension ResumeSession {
    /// What came over a link.
    ///
    /// Data is told as a place in the bytes that were handed over. Streams of their own, which are
    /// forwarded connections, have a number; the process's streams have none.
    public enum Event: Sendable, Equatable {
        /// The link carries the session from now on.
        case attached(Attachment)
        /// Something to tell the user, at each attach again.
        case notice(Notice)
        /// The link was refused and is to be closed.
        case refused(Refusal)
        /// Another client has the session now; the link is to be closed.
        case superseded
        /// The remote half was told to end, or its time is over.
        case ending
        /// The farewell was heard; the link is to be closed.
        case farewell

        /// Standard output, or the terminal's output: a place in the bytes handed over.
        case output(Range<Int>)
        /// Standard error.
        case errorOutput(Range<Int>)
        /// So many bytes of the terminal's output were dropped here.
        case skipped(UInt64)
        /// Nothing more is put out.
        case outputEnded
        /// The process has ended; more output may come until ``outputEnded``.
        case exited(Exit)

        /// A forwarded connection is made.
        case opened(UInt32)
        /// It could not be made (RFC 4254 §5.1).
        case openRefused(UInt32, reason: UInt8, text: String)
        /// A connection to a listener: ``accept(_:)`` or ``refuse(_:reason:_:)`` is to follow.
        case offered(Offer)
        /// Bytes of a forwarded connection.
        case data(UInt32, Range<Int>)
        /// A forwarded connection's other end sends nothing more.
        case ended(UInt32)
        /// A forwarded connection is over on both sides.
        case closed(UInt32, isReset: Bool)
        /// A listener is there; its port.
        case listening(UInt32, port: UInt32)
        /// A listener cannot be.
        case notListening(UInt32, text: String)
    }
}
