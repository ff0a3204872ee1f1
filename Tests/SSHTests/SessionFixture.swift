import Faults
import Foundation
import Posix
import SSH
import TestSupport
import Testing

/// A session with an sshd of its own, and the loop it lives in.
struct SessionFixture {
    let server: SSHDServer
    let session: Session
    let poller: Poller
    let trace: Trace

    init(
        _ options: [String] = [],
        configure: (inout SessionParameters) -> Void = { _ in }
    ) throws {
        let server = try SSHDServer(options)
        try self.init(server, descriptor: server.connect(), configure: configure)
    }

    init(
        _ server: SSHDServer,
        descriptor: Int32,
        trace: Trace = Trace(level: .info) { _ in },
        configure: (inout SessionParameters) -> Void = { _ in }
    ) throws {
        self.server = server
        self.trace = trace
        var parameters = SessionParameters(peer: .test)
        configure(&parameters)
        session = try Session(
            descriptor: Descriptor(owning: descriptor),
            parameters: parameters,
            trace: trace
        )
        poller = Poller(signals: try Signals())
        poller.add(session)
    }

    /// Takes turns until a step is done, at most for ten seconds.
    @discardableResult
    func wait<Value>(
        _ step: () throws -> Attempt<Value>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Value {
        let deadline = readClock() + .seconds(10)
        let value = try poller.wait(until: deadline, for: step)
        return try #require(value, "sshd's log:\n\(server.log)", sourceLocation: sourceLocation)
    }

    /// Takes turns until something is so.
    func wait(
        until condition: () -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try wait({ condition() ? .done(()) : .again }, sourceLocation: sourceLocation)
    }
}

extension SSHError.Peer {
    static let test = SSHError.Peer(host: "test", address: "192.0.2.1 port 22")
}

extension SessionFixture {
    /// Connects and logs in with the client's key.
    func logIn() throws {
        try wait(session.connect)
        _ = try wait { try session.authenticateNone(user: server.user) }
        let key = try key(server.clientKey)
        let reply = try wait { try session.authenticate(user: server.user, key: key) }
        try #require(reply == .accepted)
    }

    /// Reads a private key without a passphrase.
    func key(_ path: String) throws -> PrivateKey {
        try PrivateKey(text: Array(Data(contentsOf: URL(fileURLWithPath: path))))
    }

    /// What a command gave.
    struct Run {
        let channel: any Channel
        var output: [UInt8] = []
        var error: [UInt8] = []
    }

    /// Runs a command to its end.
    func run(_ command: String, input: [UInt8] = []) throws -> Run {
        let channel = session.openSession()
        var run = Run(channel: channel)
        channel.onData = { data, isError in
            if isError { run.error += data } else { run.output += data }
            return data.count
        }
        try wait(channel.open)
        #expect(try wait { try channel.execute(Array(command.utf8)) })
        var rest = input[...]
        try wait {
            if rest.isEmpty {
                channel.sendEOF()
            } else {
                let count = try rest.withUnsafeBytes { bytes in try channel.write(bytes) }
                rest = rest.dropFirst(count)
            }
            return channel.isClosed ? .done(()) : .again
        }
        try wait { channel.close() }
        return run
    }
}
