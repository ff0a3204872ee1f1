internal import Faults
internal import SSHConfig

/// What can be typed after the escape `~C` (ssh(1), ESCAPE CHARACTERS).
///
/// C: `process_cmdline`.
enum CommandLineEscape: Equatable {
    /// Nothing was typed.
    case none
    /// `-h`, `?`
    case help
    /// `!command`
    case localCommand(String)
    /// `-L`, `-D`
    case openLocal(Forward)
    /// `-R`
    case openRemote(Forward)
    /// `-KL`, `-KD`
    case cancelLocal(Forward.Listener, isDynamic: Bool)
    /// `-KR`
    case cancelRemote(Forward.Listener)
    /// None of these: what is said about it.
    case wrong(String)

    /// Reads a line.
    /// - Parameters:
    ///   - line: as it was typed.
    ///   - permitsLocalCommand: PermitLocalCommand.
    ///   - environment: for `${}` and ports by name.
    init(_ line: String, permitsLocalCommand: Bool, _ environment: ConfigEnvironment) {
        var rest = line.drop(while: \.isWhitespace)
        if rest.first == "-" { rest = rest.dropFirst() }
        switch rest.first {
        case nil: self = .none
        case "h", "H", "?": self = .help
        case "!" where permitsLocalCommand: self = .localCommand(String(rest.dropFirst()))
        case "K": self = CommandLineEscape.cancellation(rest.dropFirst(), environment)
        case let letter?:
            guard let flag = CommandLineEscape.flags[letter] else {
                self = .wrong("Invalid command.")
                return
            }
            let text = rest.dropFirst().drop(while: \.isWhitespace)
            guard let forward = ForwardSpecification.read(String(text), flag, environment) else {
                let side = flag == .remote ? "remote" : "local"
                self = .wrong("Bad \(side) forwarding specification.")
                return
            }
            self = flag == .remote ? .openRemote(forward) : .openLocal(forward)
        }
    }

    private static let flags: [Character: OptionsResolver.ForwardFlag] = [
        "L": .local, "R": .remote, "D": .dynamic,
    ]

    private static func cancellation(
        _ rest: Substring,
        _ environment: ConfigEnvironment
    ) -> CommandLineEscape {
        guard let flag = rest.first.flatMap({ flags[$0] }) else {
            return .wrong("Invalid command.")
        }
        let text = String(rest.dropFirst().drop(while: \.isWhitespace))
        guard let listener = ForwardSpecification.readListener(text, environment) else {
            return .wrong("Bad forwarding close specification.")
        }
        return flag == .remote
            ? .cancelRemote(listener)
            : .cancelLocal(listener, isDynamic: flag == .dynamic)
    }

    private static let helpLines = [
        "Commands:",
        "      -L[bind_address:]port:host:hostport    Request local forward",
        "      -R[bind_address:]port:host:hostport    Request remote forward",
        "      -D[bind_address:]port                  Request dynamic forward",
        "      -KL[bind_address:]port                 Cancel local forward",
        "      -KR[bind_address:]port                 Cancel remote forward",
        "      -KD[bind_address:]port                 Cancel dynamic forward",
    ]

    /// Does it, and says what came of it.
    func run(over loggedIn: LoggedIn) throws {
        let options = loggedIn.plan.options
        let say = { loggedIn.context.trace.say(.info, $0) }
        switch self {
        case .none: break
        case .help:
            CommandLineEscape.helpLines.forEach(say)
            if options.permitLocalCommand {
                say("      !args                                  Execute local command")
            }
        case .localCommand(let command):
            let context = loggedIn.context
            try runLocalCommand(command, shell: context.shell, trace: context.trace)
        case .openLocal(let forward):
            let isOpen = loggedIn.forwarding.openLocal(forward)
            say(isOpen ? "Forwarding port." : "Port forwarding failed.")
        case .openRemote(let forward):
            // OpenSSH does not look at the server's answer here.
            loggedIn.forwarding.openRemote(forward) { result in
                if case .failure(let fault) = result { say(fault.warning) }
            }
            say("Forwarding port.")
        case .cancelLocal(let listener, let isDynamic):
            let wasThere = loggedIn.forwarding.cancelLocal(listener, isDynamic: isDynamic)
            say(wasThere ? "Canceled forwarding." : "Unknown port forwarding.")
        case .cancelRemote(let listener):
            let wasThere = loggedIn.forwarding.cancelRemote(listener)
            say(wasThere ? "Canceled forwarding." : "Unknown port forwarding.")
        case .wrong(let text): say(text)
        }
    }
}
