import JSONText
import NIOCore
import NIOWebSocket
import SessionManager
import Synchronization
import TestSupport

/// How the agent and the service behave in a test.
struct AgentManner: Sendable {
    /// What the instance does.
    enum Work: Sendable {
        /// It greets, then sends back what comes.
        case echo
        /// It greets, then sends so many bytes of the pattern.
        case source(Int)
        /// It greets, takes so many bytes of the pattern, and says whether they were.
        case sink(Int)
        /// It refuses the connection: the session ends with these words.
        case refuse(String)
        /// The agent is not there.
        case nobody
    }

    var work = Work.echo
    /// Bytes of the agent's messages; the real one has 1024.
    var payload = 1024
    /// Messages of the agent's under way.
    var window = 256
    /// Data of the client's that the agent drops at first, acknowledging nothing.
    var dropsFirst = 0
    /// Out of so many messages one is lost, doubled or late; 0 for none.
    var unreliability = 0
    /// The websocket is cut so often, at moments between so many messages.
    var cuts = 0
    var messagesBetweenCuts = 10...200
    /// The service closes the websocket with 1000 "Bye" in place of a cut.
    var saysBye = false
    /// What the agent asks of the client.
    var actions = ["SessionType"]
    var seed: UInt64 = 1
}

/// A session with the agent at its other end, written from the protocol notes.
///
/// It outlives its websockets, and lives on the server's loop.
final class SessionAgent: @unchecked Sendable {
    static let greeting = "SSH-2.0-test\r\n"

    /// What a test looks at from outside.
    struct Facts: Sendable {
        var websockets = 0
        var clientVersions: [String] = []
        var tokens: [String] = []
        var hasBeenTerminated = false
        var messagesIn = 0
        var messagesOut = 0
        var largest = 0
    }

    let facts = Mutex(Facts())
    private let manner: AgentManner
    private var random: Seeded
    private weak var peer: AgentPeer?
    private var nextIn: Int64 = 0
    private var held: [Int64: Frame] = [:]
    private var nextOut: Int64 = 0
    private var unacknowledged: [Int64: Frame] = [:]
    private var queue = ByteBuffer()
    private var source = Pattern()
    private var isRight = true
    private var hasBegun = false
    private var isReady = false
    private var dropped = 0
    private var cutsLeft: Int
    private var untilCut: Int
    private var late: [Frame] = []

    init(_ manner: AgentManner) {
        self.manner = manner
        random = Seeded(manner.seed)
        cutsLeft = manner.cuts
        untilCut = Int.random(in: manner.messagesBetweenCuts, using: &random)
    }

    // MARK: - Websockets

    func attach(_ peer: AgentPeer, text: String) {
        let json = try? JSON.parse(Array(text.utf8))
        facts.withLock {
            $0.websockets += 1
            $0.tokens.append(json?["TokenValue"]?.string ?? "")
        }
        self.peer = peer
        if case .nobody = manner.work { return }
        control(.startPublication, [])
        for frame in unacknowledged.sorted(by: { $0.key < $1.key }) { put(frame.value) }
        if !hasBegun {
            hasBegun = true
            let actions = manner.actions.map {
                #"{"ActionType":"\#($0)","ActionParameters":{"SessionType":"Port"}}"#
            }
            send(
                .handshakeRequest,
                #"{"AgentVersion":"3.3.0.0","RequestedClientActions":[\#(actions.joined(separator: ","))]}"#
            )
        }
        settle()
        repeatOldest(peer)
    }

    func detach(_ peer: AgentPeer) { if self.peer === peer { self.peer = nil } }

    /// As the agent does: what is not acknowledged is sent again.
    private func repeatOldest(_ peer: AgentPeer) {
        guard self.peer === peer, let loop = peer.context?.eventLoop else { return }
        let bound = NIOLoopBound(peer, eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(200)) { [self] in
            for key in unacknowledged.keys.sorted().prefix(32) {
                if let frame = unacknowledged[key] { put(frame) }
            }
            peerFlush()
            repeatOldest(bound.value)
        }
    }

    private func peerFlush() { peer?.context?.flush() }

    private func cut() {
        guard let peer, cutsLeft > 0 else { return }
        untilCut -= 1
        if untilCut > 0 { return }
        untilCut = Int.random(in: manner.messagesBetweenCuts, using: &random)
        cutsLeft -= 1
        self.peer = nil
        if manner.saysBye { peer.close(1000, "Bye") } else { peer.context?.close(promise: nil) }
    }

    // MARK: - In

    func receive(_ bytes: [UInt8]) {
        guard let frame = try? Frame(bytes) else { return }
        cut()
        if frame.kind == .acknowledge {
            let json = try? JSON.parse(frame.payload)
            if let number = json?["AcknowledgedMessageSequenceNumber"]?.integer {
                unacknowledged[Int64(number)] = nil
            }
            return settle()
        }
        facts.withLock {
            $0.messagesIn += 1
            $0.largest = max($0.largest, frame.payload.count)
        }
        if frame.payloadType == .output, dropped < manner.dropsFirst {
            dropped += 1
            return
        }
        if isUnlucky() { return }
        acknowledge(frame)
        if isUnlucky() { acknowledge(frame) }
        if frame.sequenceNumber >= nextIn { held[frame.sequenceNumber] = frame }
        while let next = held.removeValue(forKey: nextIn) {
            nextIn += 1
            act(next)
        }
        settle()
    }

    private func isUnlucky() -> Bool {
        manner.unreliability > 0 && Int.random(in: 0..<manner.unreliability, using: &random) == 0
    }

    private func acknowledge(_ frame: Frame) {
        control(
            .acknowledge,
            Array(
                #"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageId":"\#(frame.id)","AcknowledgedMessageSequenceNumber":\#(frame.sequenceNumber),"IsSequentialMessage":true}"#
                    .utf8
            )
        )
    }

    private func act(_ frame: Frame) {
        switch frame.payloadType {
        case .handshakeResponse:
            let json = try? JSON.parse(frame.payload)
            facts.withLock { $0.clientVersions.append(json?["ClientVersion"]?.string ?? "") }
            send(.handshakeComplete, #"{"HandshakeTimeToComplete":1,"CustomerMessage":""}"#)
            isReady = true
            if case .refuse(let text) = manner.work { return closed(text) }
            send(.output, SessionAgent.greeting)
        case .output:
            switch manner.work {
            case .echo: queue.writeBytes(frame.payload)
            case .sink(let count):
                if !frame.payload.withUnsafeBytes({ source.take($0) }) { isRight = false }
                if source.offset == count { send(.output, isRight ? "right\n" : "wrong\n") }
            case .source, .refuse, .nobody: break
            }
        case .flag where frame.payload == [0, 0, 0, 2]:
            facts.withLock { $0.hasBeenTerminated = true }
            closed("")
        default: break
        }
    }

    func closed(_ text: String) {
        let content = JSON.object(["SessionId": "s", "Output": JSON(.string(text))])
        var frame = frame(.channelClosed, Array(content.text.utf8))
        frame.payloadType = nil
        peer?.put(.binary, ByteBuffer(bytes: frame.bytes))
        peer?.close(1000, "")
        peer = nil
    }

    // MARK: - Out

    /// Sends what the window and the websocket allow.
    func settle() {
        guard isReady else { return peerFlush() }
        while let peer, peer.context?.channel.isWritable == true,
            unacknowledged.count < manner.window
        {
            if case .source(let count) = manner.work {
                let piece = source.next(min(manner.payload, count - source.offset))
                if piece.isEmpty { break }
                source.skip(piece.count)
                send(.output, Array(piece))
            } else {
                guard queue.readableBytes > 0,
                    let piece = queue.readBytes(length: min(manner.payload, queue.readableBytes))
                else { break }
                send(.output, piece)
            }
            cut()
        }
        queue.discardReadBytes()
        peerFlush()
    }

    private func send(_ type: Frame.PayloadType, _ text: String) { send(type, Array(text.utf8)) }

    private func send(_ type: Frame.PayloadType, _ payload: [UInt8]) {
        var frame = frame(.output, payload)
        frame.flags = nextOut == 0 ? 1 : 0
        frame.sequenceNumber = nextOut
        frame.payloadType = type
        nextOut += 1
        unacknowledged[frame.sequenceNumber] = frame
        facts.withLock { $0.messagesOut += 1 }
        if isUnlucky() { return }
        if isUnlucky() { return late.append(frame) }
        put(frame)
        if isUnlucky() { put(frame) }
        while let frame = late.popLast() { put(frame) }
    }

    private func control(_ kind: Frame.Kind, _ payload: [UInt8]) {
        var frame = frame(kind, payload)
        frame.flags = Frame.controlFlags
        put(frame)
    }

    private func frame(_ kind: Frame.Kind, _ payload: [UInt8]) -> Frame {
        var frame = Frame(kind, created: 1, id: MessageID(using: &random))
        frame.payload = payload
        return frame
    }

    private func put(_ frame: Frame) {
        peer?.put(.binary, ByteBuffer(bytes: frame.bytes))
    }
}

/// One websocket of a session.
final class AgentPeer: ServerPeer {
    private let agent: SessionAgent
    init(_ agent: SessionAgent) { self.agent = agent }

    override func received(text: String) { agent.attach(self, text: text) }
    override func received(_ bytes: ByteBuffer) { agent.receive(Array(bytes.readableBytesView)) }
    override func settle() { agent.settle() }
    override func lost() { agent.detach(self) }
}
