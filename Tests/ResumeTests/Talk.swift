import TestSupport
import Testing

@testable import Resume

/// A session that a test answers by hand.
struct Talk {
    static let start = ContinuousClock.now
    var session: ResumeSession
    var now = Talk.start
    private var offset = 0

    /// Makes a session.
    /// - Parameters:
    ///   - window: what is asked for.
    ///   - isUp: whether it is attached and welcome on a socket.
    /// - Throws: when the welcome is not taken.
    init(window: Int = 1 << 20, isUp: Bool = true) throws {
        var random = Seeded(5)
        var start = ResumeSession.Start(.command)
        start.command = Array("true".utf8)
        start.window = window
        session = ResumeSession(.init(using: &random), start: start, now: now)
        guard isUp else { return }
        session.attach(.socket, now: now)
        _ = taken()
        #expect(try hear(Talk.welcome(window: window)).count == 1)
    }

    static func welcome(
        version: UInt8 = 1,
        flags: UInt8 = 1,
        generation: UInt32 = 1,
        received: Int = 0,
        consumed: Int = 0,
        window: Int = 1 << 20
    ) -> [UInt8] {
        var payload: [UInt8] = [version, flags]
        payload += wire(4, generation) + wire(8, received) + wire(8, consumed)
        payload += wire(4, window) + wire(4, 4711) + [2, 1]
        return frame(0x03, payload + wire("boot") + wire("/tmp/.ec2sh-0/x.s"))
    }

    /// Bytes come over the link.
    mutating func hear(_ bytes: [UInt8]) throws -> [ResumeSession.Event] {
        var events: [ResumeSession.Event] = []
        try session.receive(bytes.span, into: &events, now: now)
        return events
    }

    /// L2 frames come, in one DATA.
    mutating func hearStream(_ frames: [UInt8]) throws -> [ResumeSession.Event] {
        let bytes = frame(0x10, wire(8, offset) + frames)
        offset += frames.count
        return try hear(bytes)
    }

    /// What the session has to send now.
    mutating func taken(limit: Int = 1 << 24) -> [UInt8] {
        var bytes: [UInt8] = []
        session.advance(now: now)
        while session.hasSomethingToSend(now), bytes.count < limit - 12 {
            session.take(into: &bytes, limit: limit, now: now)
        }
        return bytes
    }

    /// What is to be written at a time.
    mutating func takenOnce() -> [UInt8] {
        var bytes: [UInt8] = []
        session.take(into: &bytes, limit: 1 << 20, now: now)
        return bytes
    }

    /// The same as frames.
    mutating func takenFrames() -> [(type: UInt8, payload: [UInt8])] {
        var bytes = taken()
        var frames: [(type: UInt8, payload: [UInt8])] = []
        while let next = takeFrame(&bytes) { frames.append(next) }
        #expect(bytes.isEmpty)
        return frames
    }

    /// The L2 frames in what the session has to send now.
    mutating func takenStream() -> [(type: UInt8, payload: [UInt8])] {
        var bytes = takenFrames().filter { $0.type == 0x10 }.flatMap { $0.payload.dropFirst(8) }
        var frames: [(type: UInt8, payload: [UInt8])] = []
        while let next = takeFrame(&bytes) { frames.append(next) }
        return frames
    }

    mutating func send(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        return session.send(bytes.span)
    }
}
