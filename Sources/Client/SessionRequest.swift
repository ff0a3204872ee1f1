internal import Faults
internal import Posix
internal import SSH
internal import Terminal

/// What a session channel is asked for, in the order it is sent (RFC 4254 §6).
struct SessionRequest {
    /// The terminal to emulate: the value of TERM, and the size in characters.
    struct Pty {
        var term: String
        var size: WindowSize
        /// A refusal ends the run, because the user asked for a terminal (`-t`).
        var isRequired: Bool
    }

    var pty: Pty?
    /// Variables to pass on; the server's AcceptEnv decides which it takes.
    var environment: [(name: String, value: String)] = []
    var task: Plan.Task
}

extension SessionRequest {
    /// Opens a session channel and starts the task in it.
    /// - Returns: the channel, with the task running.
    /// - Throws: ``ChannelFault`` when the server refuses, or whatever ends the connection.
    func start(on session: Session, in poller: Poller, trace: Trace) throws -> Channel {
        let channel = session.openSession()
        _ = try poller.wait { try channel.open() }
        if let pty {
            let accepted = try poller.wait {
                try channel.requestPty(
                    term: pty.term,
                    columns: Int(pty.size.columns),
                    rows: Int(pty.size.rows)
                )
            }
            if accepted != true {
                let refusal = ChannelFault.requestRefused("PTY allocation")
                if pty.isRequired { throw refusal }
                refusal.words?.forEach { trace.say(.error, $0) }
            }
        }
        for variable in environment {
            trace.debug(.debug1, .channel, "Sending environment: \(variable.name)")
            _ = try poller.wait {
                try channel.setEnvironment(variable.name, variable.value)
            }
        }
        switch task {
        case .shell:
            try require("shell", in: poller) { try channel.shell() }
        case .command(let words):
            try require("exec", in: poller) { try channel.execute(words) }
        case .subsystem(let name):
            let name = String(decoding: name, as: UTF8.self)
            try require("subsystem", in: poller) { try channel.subsystem(name) }
        case .hold, .forward:
            preconditionFailure("only tasks in a session channel are requested")
        }
        return channel
    }

    private func require(
        _ name: String,
        in poller: Poller,
        _ request: () throws -> Attempt<Bool>
    ) throws {
        if try poller.wait(for: request) != true { throw ChannelFault.requestRefused(name) }
    }
}

/// Says what the server refused after the login.
enum ChannelFault: Fault {
    /// A request in the session channel: its name.
    case requestRefused(String)
    /// The connection ended while the task ran.
    case closed(host: String)

    var layer: Layer {
        switch self {
        case .requestRefused: .channel
        case .closed: .link
        }
    }

    var summary: String {
        switch self {
        case .requestRefused(let request): "the server refused the \(request) request"
        case .closed(let host): "the connection to \(host) was closed before the command ended"
        }
    }

    var words: [String]? {
        switch self {
        case .requestRefused(let request): ["\(request) request failed on channel 0"]
        case .closed: nil
        }
    }
}
