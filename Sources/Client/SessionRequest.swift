internal import Faults
internal import Posix

/// What a session channel is asked for, in the order it is sent (RFC 4254 §6).
struct SessionRequest {
    /// The terminal to emulate: the value of TERM, and the size in characters.
    struct Pty {
        var term: String
        var size: WindowSize
        /// The modes of the terminal here, as they were before anything was changed.
        var modes: [UInt8] = noModes
        /// A refusal ends the run, because the user asked for a terminal (`-t`).
        var isRequired: Bool
    }

    /// The X server that programs may show windows on; nil for none.
    var x11: X11Request?
    /// Whether programs may use the user's agent.
    var forwardsAgent = false
    var pty: Pty?
    /// Variables to pass on; the server's AcceptEnv decides which it takes.
    var environment: [(name: String, value: String)] = []
    var task: Plan.Task
}

/// TTY_OP_END alone (RFC 4254 §8).
private let noModes: [UInt8] = [0]

extension SessionRequest.Pty {
    /// The modes of a terminal; none where there is no terminal.
    static func modes(of number: Int32) -> [UInt8] {
        (try? TerminalSettings(of: number))?.encoded ?? noModes
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
