internal import Posix

/// Tells the user to do something, such as to touch a security key, for as long as it lives.
///
/// On a terminal it is a line on standard error; elsewhere an askpass program shows it.
///
/// C: `notify_start`, `notify_complete` in readpass.c.
public final class Notice {
    private let isOnTerminal: Bool
    private let program: Child?

    /// Shows a notice; where there is nobody to show it to, nothing happens.
    /// - Parameters:
    ///   - text: what to do.
    ///   - environment: DISPLAY, SSH_ASKPASS and SSH_ASKPASS_REQUIRE.
    ///   - usesTerminal: whether it may be shown on the terminal.
    public init(_ text: String, _ environment: [String: String], usesTerminal: Bool) {
        isOnTerminal = usesTerminal && isTerminal(2)
        if isOnTerminal {
            program = nil
            Notice.write(text)
            return
        }
        let askpass = environment["SSH_ASKPASS"] ?? Prompter.defaultAskpass
        let isForced = environment["SSH_ASKPASS_REQUIRE"] == "force"
        guard !askpass.isEmpty, isForced || environment["DISPLAY"] != nil else {
            program = nil
            return
        }
        var command = Command(askpass, [text])
        command.environment = .inherited(changes: ["SSH_ASKPASS_PROMPT": "none"])
        program = try? spawn(command, output: .null)
    }

    /// Takes it away.
    /// - Parameter text: what came of it, for the terminal alone; nil for nothing.
    public func end(_ text: String?) {
        if isOnTerminal, let text { Notice.write(text) }
        program?.send(.terminate)
        program?.wait()
    }

    private static func write(_ text: String) {
        try? writeAll(2, Array("\r\(text)\r\n".utf8))
    }
}
