public import Faults
internal import Posix

/// Asks the user for passwords and decisions, on the terminal or through an askpass program.
///
/// Where it asks is OpenSSH's rule (readpass.c):
///
/// | SSH_ASKPASS_REQUIRE | DISPLAY | there is a terminal | asked by |
/// |---|---|---|---|
/// | force | any | any | askpass |
/// | prefer | set | any | askpass |
/// | never | any | yes / no | terminal / nobody |
/// | else | any | yes | terminal |
/// | else | set / unset | no | askpass / nobody |
///
/// A permission (``Kind/permission``) is always a matter of askpass. Where nobody can be asked
/// there is no answer.
public final class Prompter {
    /// What is asked for.
    public enum Kind: Sendable, Equatable {
        /// A password or passphrase: not shown while it is typed.
        case secret
        /// A secret that may be asked for on standard input when that is a terminal (a PIN).
        case localSecret
        /// An answer that is shown while it is typed.
        case visible
        /// A yes or no that an askpass program asks with buttons.
        case permission
    }

    /// The askpass program that OpenSSH has built in on Debian.
    static let defaultAskpass = "/usr/bin/ssh-askpass"

    private let environment: [String: String]
    private let trace: Trace
    private let terminalPath: String

    /// Makes a prompter.
    /// - Parameters:
    ///   - environment: for `DISPLAY`, `SSH_ASKPASS`, `SSH_ASKPASS_REQUIRE`.
    ///   - trace: told how it asks.
    ///   - terminalPath: the terminal, another one in tests.
    public init(
        environment: [String: String],
        trace: Trace,
        terminalPath: String = "/dev/tty"
    ) {
        self.environment = environment
        self.trace = trace
        self.terminalPath = terminalPath
    }

    /// Asks, and waits for the answer.
    ///
    /// A signal that comes meanwhile finds the terminal as it was before. One that does not end the
    /// process (because something else catches it) ends the question. After Ctrl-Z and `fg` the
    /// question is asked again.
    /// - Parameters:
    ///   - prompt: printed as it is; no line end is added.
    ///   - kind: what is asked for.
    /// - Returns: the line without its end, at most 1023 bytes; nil when nobody could be asked, the
    ///   askpass program failed, or the input ended at once (Ctrl-D), which OpenSSH mostly takes
    ///   for an empty answer.
    public func ask(_ prompt: String, _ kind: Kind = .secret) -> String? {
        guard var bytes = askForBytes(prompt, kind) else { return nil }
        defer { wipe(&bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As ``ask(_:_:)``, for secrets that are not UTF-8.
    /// - Parameters:
    ///   - prompt: printed as it is.
    ///   - kind: what is asked for.
    /// - Returns: the bytes as they were typed; the caller wipes them.
    public func askForBytes(_ prompt: String, _ kind: Kind = .secret) -> [UInt8]? {
        let rule = AskpassRule(environment)
        if usesAskpass(kind, rule) {
            if rule.isAllowed { return askProgram(prompt, kind) }
            if kind == .permission { return nil }
        }
        let question = TerminalQuestion(
            path: terminalPath,
            prompt: prompt,
            isShown: kind == .visible,
            allowsStandardInput: kind == .localSecret
        )
        return question.ask()
    }

    /// Asks whether something may be done (`ask_permission` of readpass.c).
    /// - Parameter prompt: the question.
    /// - Returns: true for an empty answer and for yes.
    public func askPermission(_ prompt: String) -> Bool {
        guard let answer = ask(prompt, .permission) else { return false }
        return answer.isEmpty || answer.lowercased() == "yes"
    }

    private func usesAskpass(_ kind: Kind, _ rule: AskpassRule) -> Bool {
        if rule.isPreferred {
            trace.say(.debug1, "debug1: read_passphrase: requested to askpass")
            return true
        }
        switch kind {
        case .permission:
            return true
        case .localSecret:
            if isTerminal(0) { return false }
            trace.say(.debug1, "debug1: read_passphrase: stdin is not a tty")
            return true
        case .secret, .visible:
            do throws(SystemError) {
                // The carriage return hides what was typed ahead, before echo went off.
                let terminal = try openFile(terminalPath, .device)
                try writeAll(terminal.number, [UInt8(ascii: "\r")])
                return false
            } catch {
                let reason = error.reason
                trace.say(
                    .debug1,
                    "debug1: read_passphrase: can't open \(terminalPath): \(reason)"
                )
                return true
            }
        }
    }
}

/// What the environment says about askpass programs.
struct AskpassRule: Equatable {
    /// Whether one may be used at all.
    var isAllowed: Bool
    /// Whether one is used even though there is a terminal.
    var isPreferred = false

    init(_ environment: [String: String]) {
        isAllowed = environment["DISPLAY"]?.isEmpty == false
        switch environment["SSH_ASKPASS_REQUIRE"]?.lowercased() {
        case "force": (isAllowed, isPreferred) = (true, true)
        case "prefer": isPreferred = isAllowed
        case "never": isAllowed = false
        default: break
        }
    }
}

// MARK: - Askpass

extension Prompter {
    private func askProgram(_ prompt: String, _ kind: Kind) -> [UInt8]? {
        let program = environment["SSH_ASKPASS"] ?? Prompter.defaultAskpass
        var command = Command(program, [prompt])
        if kind == .permission {
            command.environment = .inherited(changes: ["SSH_ASKPASS_PROMPT": "confirm"])
        }
        do throws(SystemError) {
            var result = try runToEnd(command, input: .inherited)
            defer { wipe(&result.output) }
            guard result.status.isSuccess else { return nil }
            let line = result.output.prefix(TerminalQuestion.longestAnswer)
            return Array(line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") })
        } catch {
            trace.say(.fatal, "ssh_askpass: exec(\(program)): \(error.reason)")
            return nil
        }
    }
}
