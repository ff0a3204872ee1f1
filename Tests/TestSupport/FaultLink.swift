import Foundation
import Synchronization

/// A link with delay and faults between the client and a server: a listener of `faultproxy.py`.
///
/// All links of a test process share one proxy.
public struct FaultLink: Sendable {
    /// What happens to the connections of a link.
    public struct Plan: Encodable, Sendable {
        /// How a connection is broken.
        public enum Break: String, Encodable, Sendable, CaseIterable {
            /// Both sides are closed.
            case fin
            /// Both sides are reset.
            case rst
            /// Nothing passes any more and nobody is told.
            case blackhole
            /// The server's side is closed and the client is not told.
            case halfOpen = "half-open"
        }

        struct Cut: Encodable, Sendable {
            let direction: String
            let after: Int
            let how: Break

            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                try list.encode(direction)
                try list.encode(after)
                try list.encode(how)
            }
        }

        struct Flip: Encodable, Sendable {
            let direction: String
            let at: Int

            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                try list.encode(direction)
                try list.encode(at)
            }
        }

        var delay: Double?
        var cut: Cut?
        var flip: Flip?

        /// Nothing happens.
        public static let none = Plan()

        /// Every byte takes so long, each way.
        public static func delay(milliseconds: Double) -> Plan { Plan(delay: milliseconds) }

        /// Breaks the connection when the client has got so many bytes.
        public static func cutDown(after bytes: Int, _ how: Break) -> Plan {
            Plan(cut: Cut(direction: "down", after: bytes, how: how))
        }

        /// Breaks the connection when the server has got so many bytes.
        public static func cutUp(after bytes: Int, _ how: Break) -> Plan {
            Plan(cut: Cut(direction: "up", after: bytes, how: how))
        }

        /// One bit of one byte on the way to the client is wrong.
        public static func flipDown(at byte: Int) -> Plan {
            Plan(flip: Flip(direction: "down", at: byte))
        }
    }

    /// What passed over a connection.
    public struct Passed: Sendable {
        /// Bytes the server got.
        public let up: Int
        /// Bytes the client got.
        public let down: Int
        /// Round trips, as far as the link can tell.
        public let turns: Int
    }

    private let name: String
    private let events: AsyncStream<ProxyEvent>
    /// Where the client connects to, on 127.0.0.1.
    public let port: Int

    /// Opens a link to a server.
    /// - Parameters:
    ///   - host: the server's name or address.
    ///   - serverPort: its port.
    ///   - plan: what happens on the link.
    /// - Throws: ``LabError/helper(_:)``.
    public init(to host: String, port serverPort: Int = 22, plan: Plan = .none) async throws {
        let proxy = try FaultProxy.shared.get()
        name = "link\(linkCount.add(1, ordering: .relaxed).newValue)"
        events = proxy.events(of: name)
        let text = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
        let order = #"{"listen": "\#(name)", "to": ["\#(host)", \#(serverPort)], "plan": \#(text)}"#
        try proxy.helper.order(order)
        port = try await FaultLink.next("listening", in: events).port ?? 0
    }

    /// Breaks the connections there are.
    /// - Parameter how: in which way.
    /// - Throws: ``LabError/helper(_:)``.
    public func breakOff(_ how: Plan.Break) async throws {
        let proxy = try FaultProxy.shared.get()
        try proxy.helper.order(#"{"break": "\#(name)", "how": "\#(how.rawValue)"}"#)
        _ = try await FaultLink.next("broken", in: events)
    }

    /// Gives a new plan for connections that come from now on.
    /// - Parameter plan: what happens on them.
    /// - Throws: ``LabError/helper(_:)``.
    public func replacePlan(_ plan: Plan) async throws {
        let proxy = try FaultProxy.shared.get()
        let text = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
        let fields = text.dropFirst().dropLast()
        try proxy.helper.order(
            #"{"plan": "\#(name)"\#(fields.isEmpty ? "" : ", ")\#(fields)}"#
        )
        _ = try await FaultLink.next("planned", in: events)
    }

    /// Leads connections that come from now on to another server.
    /// - Parameter host: its name or address.
    /// - Throws: ``LabError/helper(_:)``.
    public func move(to host: String) async throws {
        let proxy = try FaultProxy.shared.get()
        try proxy.helper.order(#"{"move": "\#(name)", "to": ["\#(host)", 22]}"#)
        _ = try await FaultLink.next("moved", in: events)
    }

    /// Waits for a connection to be over.
    /// - Returns: what passed over it.
    /// - Throws: ``LabError/helper(_:)``.
    public func closed() async throws -> Passed {
        let event = try await FaultLink.next("closed", in: events)
        return Passed(up: event.up ?? -1, down: event.down ?? -1, turns: event.turns ?? -1)
    }

    private static func next(
        _ kind: String,
        in events: AsyncStream<ProxyEvent>
    ) async throws
        -> ProxyEvent
    {
        for await event in events where event.event == kind { return event }
        throw LabError.helper("the fault proxy has ended")
    }
}

private let linkCount = Atomic<Int>(0)

/// What the proxy says.
private struct ProxyEvent: Decodable, Sendable {
    let event: String
    let name: String?
    let port: Int?
    let up: Int?
    let down: Int?
    let turns: Int?
}

/// The proxy process and who waits for which of its lines.
private final class FaultProxy: Sendable {
    static let shared = Result { try FaultProxy() }

    let helper: LabHelper
    private let waiting = Mutex<[String: AsyncStream<ProxyEvent>.Continuation]>([:])

    init() throws {
        helper = try LabHelper("faultproxy.py", ["--control"])
        let thread = Thread { [self] in
            helper.readAnswers { line in
                let event = try? JSONDecoder().decode(ProxyEvent.self, from: Data(line.utf8))
                if let event, let name = event.name {
                    _ = waiting.withLock { $0[name]?.yield(event) }
                } else {
                    print("fault proxy: \(line)")
                }
                return true
            }
            waiting.withLock { $0.values.forEach { $0.finish() } }
        }
        thread.start()
    }

    func events(of name: String) -> AsyncStream<ProxyEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: ProxyEvent.self)
        waiting.withLock { $0[name] = continuation }
        return stream
    }
}
