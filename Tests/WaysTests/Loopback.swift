import Faults
import Glibc
import Posix
import Testing

@testable import Ways

/// Places on this machine to connect to.
enum Loopback {
    static func address(_ host: String, port: UInt16 = 0) throws -> SocketAddress {
        try #require(NameQuery(host: host, port: port).numericAnswer()?.addresses.first)
    }

    /// A port that refuses: one that was free a moment ago.
    static func refusing(_ host: String) throws -> SocketAddress {
        let listener = try listen(on: address(host))
        return try localAddress(of: listener.number)
    }
}

/// A port that takes connections.
final class Listener {
    private let socket: Descriptor
    let address: SocketAddress

    init(_ host: String) throws {
        socket = try listen(on: Loopback.address(host))
        address = try localAddress(of: socket.number)
    }

    func accept() throws -> Descriptor? {
        try waitFor(socket.number, .read, until: readClock() + .seconds(10))
        return try acceptConnection(socket.number)
    }
}

/// A port that never answers: its queue is full, so the system drops what comes to it.
final class Blackhole {
    private let socket: Descriptor
    private var fillers: [Filler] = []
    let address: SocketAddress

    private final class Filler {
        let socket: Descriptor
        let isConnected: Bool

        init(_ address: SocketAddress) throws {
            socket = try makeStreamSocket(address.family)
            guard case .again = try beginConnecting(socket.number, to: address) else {
                isConnected = true
                return
            }
            let deadline = readClock() + .milliseconds(20)
            isConnected = try !waitFor(socket.number, .write, until: deadline).isEmpty
        }
    }

    init(_ host: String) throws {
        socket = try listen(on: Loopback.address(host), backlog: 0)
        address = try localAddress(of: socket.number)
        repeat { fillers.append(try Filler(address)) } while fillers.last?.isConnected == true
    }
}

/// What a run said with `-v`.
final class Told {
    private(set) var lines: [String] = []
    private(set) lazy var trace = Trace(level: .debug1) { [unowned self] in lines.append($0) }
}

/// A server that greets everybody who connects: with a line, with silence, or by closing.
final class Greeter {
    let address: SocketAddress
    private let counter: Helper<Int>
    private let stop: Descriptor

    // Nil closes each connection at once.
    init(_ line: String?) throws {
        let listener = try listen(on: Loopback.address("127.0.0.1"))
        address = try localAddress(of: listener.number)
        let pipe = try makePipe()
        stop = try pipe.far.duplicate()
        let number = listener.release()
        let end = try pipe.near.duplicate().release()
        counter = try Helper {
            serve(Descriptor(owning: number), line, until: Descriptor(owning: end))
        }
    }

    /// How many have connected; ends the server.
    func end() throws -> Int {
        try writeAll(stop.number, [1])
        try waitFor(counter.number, .read, until: readClock() + .seconds(10))
        return try #require(counter.take())
    }
}

private func serve(
    _ listener: consuming Descriptor,
    _ line: String?,
    until end: consuming Descriptor
) -> Int {
    var served: [Int32] = []
    var count = 0
    while true {
        var waited = [listener.number, end.number].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        guard poll(&waited, 2, -1) > 0, waited[1].revents == 0 else { break }
        guard let connection = try? acceptConnection(listener.number) else { continue }
        count += 1
        guard let line else { continue }
        try? writeAll(connection.number, Array(line.utf8))
        served.append(connection.release())
    }
    served.forEach { _ = Descriptor(owning: $0) }
    return count
}
