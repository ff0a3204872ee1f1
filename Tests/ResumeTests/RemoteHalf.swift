import TestSupport

@testable import Resume

/// A host with the remote half of one session, written from PROTOCOL.md; its process is scripted.
///
/// It keeps everything it was told and all it said, and notes what breaks the protocol.
final class RemoteHalf {
    /// What the process does.
    struct Script {
        var output: [UInt8] = []
        var errorOutput: [UInt8] = []
        var status: UInt32 = 0
        /// Ends only after its input has.
        var readsInput = true
        /// How fast it reads: bytes in one turn at most.
        var appetite = 50_000
    }

    /// One link, seen from the host.
    final class Link {
        var incoming: [UInt8] = []
        var outgoing: [UInt8] = []
        var isClosed = false
        /// Bytes of the body that are still to come; nil on a socket.
        var body: Int?
        var hasSpoken = false
        fileprivate var hello: [UInt8]?
        fileprivate var isOwner = false
        fileprivate var isRefused = false

        init(isExec: Bool) { body = isExec ? Bootstrap.body.count : nil }
    }

    var script: Script
    var noise: [UInt8] = []
    /// The most it takes, below what the client asks.
    var mostWindow = Int.max
    private(set) var violations: [String] = []
    private(set) var starts = 0
    private(set) var startFrame: [UInt8] = []
    private(set) var input: [UInt8] = []
    private(set) var inputEnded = false
    private(set) var isForgotten = false
    private(set) var farewell: UInt8?
    private(set) var sizes: [[UInt8]] = []
    private(set) var signals: [String] = []
    private(set) var outputClosed = false
    private(set) var echoed: [UInt32: Int] = [:]
    private(set) var pings = 0
    private var random: Seeded

    private var identity: [UInt8] = []
    private var generation: UInt32 = 0
    private var link: Link?
    private var window = 0
    private let bootID = "boot"

    // L1
    private var log: [UInt8] = []
    private var clientReceived = 0
    private var clientConsumed = 0
    private var next = 0
    private var received = 0
    /// Lags behind what was received, as it may.
    private var consumed = 0
    private var untold = false

    // L2
    private var frames: [UInt8] = []
    private var credit = 0
    private var allowance = 0
    private var waiting: [UInt8] = []
    private var waitingEnd = false
    private var outputSent = 0
    private var errorSent = 0
    private var sentEOF = false
    private var sentExit = false
    private var echoes: [UInt32: Echo] = [:]

    private struct Echo {
        var credit: Int
        var bytes: [UInt8] = []
        var hasEnded = false
        var sentEOF = false
        var sentClose = false
    }

    init(_ script: Script, seed: UInt64) {
        self.script = script
        random = Seeded(seed)
    }

    private func violate(_ what: String) { if violations.count < 10 { violations.append(what) } }

    func connect(isExec: Bool) -> Link { Link(isExec: isExec) }

    /// The link's other end has gone.
    func disconnect(_ link: Link) {
        link.isClosed = true
        if self.link === link { self.link = nil }
    }

    // MARK: - L1

    func receive(_ bytes: [UInt8], from link: Link) {
        if link.isClosed { return }
        link.incoming += bytes
        if let body = link.body {
            let count = min(body, link.incoming.count)
            link.incoming.removeFirst(count)
            link.body = body - count
            if body > count { return }
            if !link.hasSpoken {
                link.hasSpoken = true
                link.outgoing += noise + Array("EC2SH-RESUME 1\n".utf8)
            }
        }
        while !link.isClosed, !link.isRefused, let (type, payload) = takeFrame(&link.incoming) {
            take(type, payload, link)
        }
        if let current = self.link, current === link, untold { acknowledge() }
    }

    private func acknowledge() {
        untold = false
        link?.outgoing += frame(0x11, wire(8, received) + wire(8, consumed))
    }

    private func take(_ type: UInt8, _ payload: [UInt8], _ link: Link) {
        var fields = Fields(payload)
        switch type {
        case 0x01:
            if link.hello != nil { return violate("a second HELLO") }
            link.hello = payload
            // A start waits for START.
            if payload[1] != 1 { greet(payload, nil, link) }
        case 0x02:
            guard let hello = link.hello, hello[1] == 1 else { return violate("START alone") }
            greet(hello, payload, link)
        case _ where !link.isOwner: violate("frame \(type) on no link of the session")
        case 0x10:
            let offset = Int(fields.number(8))
            if payload.count < 9 || payload.count > 65_544 { violate("DATA of \(payload.count)") }
            if offset > received { return violate("a gap: \(offset) after \(received)") }
            if offset + payload.count - 8 > consumed + window { violate("beyond the window") }
            let known = min(received - offset, fields.rest.count)
            let fresh = Array(fields.rest.dropFirst(known))
            received += fresh.count
            untold = true
            frames += fresh
            while let (type, payload) = takeFrame(&frames) { takeStream(type, payload) }
        case 0x11: note(Int(fields.number(8)), Int(fields.number(8)))
        case 0x12:
            pings += 1
            if untold { acknowledge() }
            link.outgoing += frame(0x13, fields.take(8))
        case 0x14:
            farewell = fields.u8()
            if farewell != 2 { isForgotten = true }
            link.outgoing += frame(0x15, [])
            link.isOwner = false
            self.link = nil
        default: violate("frame \(type)")
        }
    }

    private func note(_ received: Int, _ consumed: Int) {
        if consumed > received || received > log.count { violate("ACK \(received) \(consumed)") }
        if received < clientReceived || consumed < clientConsumed { violate("ACK goes back") }
        clientReceived = max(clientReceived, received)
        clientConsumed = max(clientConsumed, consumed)
    }

    private func refuse(_ code: UInt8, _ link: Link, value: UInt32 = 0) {
        link.isRefused = true
        link.outgoing += frame(0x04, [code] + wire(4, value) + wire("no"))
    }

    private func greet(_ hello: [UInt8], _ start: [UInt8]?, _ link: Link) {
        var fields = Fields(hello)
        if fields.u8() != 1 { violate("version") }
        let mode = fields.u8()
        let identity = fields.take(32)
        let generation = fields.u32()
        let received = Int(fields.number(8))
        let consumed = Int(fields.number(8))
        let asked = Int(fields.u32())
        let knownBoot = fields.string()
        if !fields.isEmpty { violate("a long HELLO") }
        var isNew: UInt8 = 0
        if isForgotten { return refuse(2, link) }
        if self.identity.isEmpty {
            guard mode == 1, let start else { return refuse(2, link) }
            if received != 0 || knownBoot != "" { violate("a start that knows something") }
            self.identity = identity
            window = min(asked, mostWindow)
            credit = window
            allowance = window
            starts += 1
            startFrame = start
            isNew = 1
        }
        if identity != self.identity { return refuse(5, link) }
        if mode == 3 {
            if generation != 0 { violate("a joiner with a generation") }
            join()
        } else {
            if generation <= self.generation { return refuse(6, link) }
            self.generation = generation
            note(received, consumed)
            // What came already may well come again.
            next = Int.random(in: consumed...received, using: &random)
        }
        if let old = self.link {
            old.outgoing += frame(0x14, [4])
            old.isOwner = false
        }
        self.link = link
        link.isOwner = true
        var welcome: [UInt8] = [1, isNew | (inputEnded ? 2 : 0)]
        welcome += wire(4, self.generation) + wire(8, self.received) + wire(8, self.consumed)
        welcome += wire(4, window) + wire(4, 4711) + [2, startFrame[1]]
        link.outgoing += frame(0x03, welcome + wire(bootID) + wire("/tmp/.ec2sh-0/x.s"))
        link.outgoing += frame(0x05, [1] + wire("KillUserProcesses"))
    }

    private func join() {
        generation += 65_536
        log = []
        clientReceived = 0
        clientConsumed = 0
        next = 0
        received = 0
        consumed = 0
        frames = []
        echoes = [:]
        // Not credited: sent again.
        let uncredited = window - credit
        var back = min(uncredited, outputSent)
        outputSent -= back
        back = uncredited - back
        errorSent -= back
        sentEOF = false
        sentExit = false
        credit = window
        allowance = 0
        grantInput(window - waiting.count)
    }

    private func grantInput(_ count: Int) {
        allowance += count
        say(0x03, wire(4, 0) + wire(4, count))
    }

    /// Puts what may be sent on the link.
    /// - Parameter limit: as the link takes no more for now.
    func flush(limit: Int) {
        guard let link, !link.isClosed else { return }
        while link.outgoing.count < limit {
            let count = min(log.count - next, clientConsumed + window - next, 65_536)
            let piece = count <= 0 ? 0 : Int.random(in: 1...count, using: &random)
            guard piece > 0 else { return }
            link.outgoing += frame(0x10, wire(8, next) + log[next..<(next + piece)])
            next += piece
        }
    }

    // MARK: - L2

    private func say(_ type: UInt8, _ payload: [UInt8]) { log += frame(type, payload) }

    private func takeStream(_ type: UInt8, _ payload: [UInt8]) {
        var fields = Fields(payload)
        switch type {
        case 0x01:
            let stream = fields.u32()
            if payload.count < 5 || payload.count > 32_772 { violate("L2 DATA length") }
            if stream == 0 {
                allowance -= fields.rest.count
                if allowance < 0 { violate("more stdin than its window") }
                waiting += fields.rest
            } else if echoes[stream] != nil {
                echoes[stream]?.bytes += fields.rest
                echoed[stream, default: 0] += fields.rest.count
            }
        case 0x03:
            let stream = fields.u32()
            let count = Int(fields.u32())
            if stream == 0 {
                credit += count
                if credit > window { violate("more credit than the window") }
            } else {
                echoes[stream]?.credit += count
            }
        case 0x04:
            let stream = fields.u32()
            if stream == 0 { waitingEnd = true } else { echoes[stream]?.hasEnded = true }
        case 0x05:
            let stream = fields.u32()
            if stream == 0 {
                outputClosed = true
            } else if let echo = echoes.removeValue(forKey: stream), !echo.sentClose {
                say(0x05, wire(4, stream) + [0])
            }
        case 0x06: sizes.append(payload)
        case 0x07: signals.append(fields.string())
        case 0x10:
            let stream = fields.u32()
            let credit = Int(fields.u32())
            _ = fields.u8()
            if fields.string() == "refuse" {
                say(0x12, wire(4, stream) + [2] + wire("no way"))
            } else {
                echoes[stream] = Echo(credit: credit)
                say(0x11, wire(4, stream) + wire(4, 100_000))
            }
        case 0x18:
            let listener = fields.u32()
            say(0x19, wire(4, listener) + wire(4, 2222))
        case 0x08, 0x11, 0x12, 0x1b: break
        default: violate("L2 frame \(type)")
        }
    }

    /// The process goes on for a turn.
    func work() {
        guard starts > 0, !isForgotten else { return }
        if consumed < received, Bool.random(using: &random) {
            consumed = Int.random(in: (consumed + 1)...received, using: &random)
            acknowledge()
        }
        read()
        for stream in echoes.keys.sorted() { echo(stream) }
        // Numbered when it is sent, so little is kept in the log of what nobody takes.
        while log.count - next < 200_000, write() {}
        let isDone =
            outputSent == script.output.count && errorSent == script.errorOutput.count
            && (inputEnded || !script.readsInput)
        if isDone && !sentEOF {
            sentEOF = true
            say(0x04, wire(4, 0))
        }
        if sentEOF && !sentExit {
            sentExit = true
            say(0x09, wire(4, script.status))
        }
    }

    private func read() {
        let count = min(script.appetite, waiting.count)
        if count > 0 {
            input += waiting.prefix(count)
            waiting.removeFirst(count)
            grantInput(count)
        }
        if waitingEnd && waiting.isEmpty { inputEnded = true }
    }

    private func write() -> Bool {
        let output = script.output.count - outputSent
        let error = script.errorOutput.count - errorSent
        let isError = output == 0 || error > 0 && Int.random(in: 0..<4, using: &random) == 0
        let count = min(isError ? error : output, 32_768, credit)
        if count <= 0 { return false }
        let piece = Int.random(in: 1...count, using: &random)
        credit -= piece
        if isError {
            say(0x02, wire(4, 0) + script.errorOutput[errorSent..<(errorSent + piece)])
            errorSent += piece
        } else {
            say(0x01, wire(4, 0) + script.output[outputSent..<(outputSent + piece)])
            outputSent += piece
        }
        return true
    }

    private func echo(_ stream: UInt32) {
        guard var echo = echoes[stream] else { return }
        let count = min(echo.bytes.count, echo.credit, 32_768)
        if count > 0 {
            say(0x01, wire(4, stream) + echo.bytes.prefix(count))
            say(0x03, wire(4, stream) + wire(4, count))
            echo.bytes.removeFirst(count)
            echo.credit -= count
        }
        if echo.hasEnded && echo.bytes.isEmpty && !echo.sentEOF {
            echo.sentEOF = true
            say(0x04, wire(4, stream))
        }
        echoes[stream] = echo
    }

    /// A program on the host connects to a listener.
    func offer(_ stream: UInt32) {
        echoes[stream] = Echo(credit: 0)
        say(
            0x10,
            wire(4, stream) + wire(4, 100_000) + [3] + wire("localhost") + wire(4, 2222)
                + wire("::1") + wire(4, 40_000) + wire(4, 1)
        )
    }

    /// Says anything over the numbered stream.
    func inject(_ bytes: [UInt8]) { log += bytes }
}
