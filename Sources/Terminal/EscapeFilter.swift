/// What the user's keys ask for.
public enum EscapeAction: Sendable, Equatable {
    /// Bytes for the remote side.
    case send([UInt8])
    /// A text for standard error.
    case show(String)
    /// `~.`: ends the connection.
    case disconnect
    /// `~^Z`: stops the process.
    case suspend
    /// `~&`: goes on in the background, with the end of input for the remote side.
    case background
    /// `~#`: shows the open channels.
    case listConnections
    /// `~B`: asks the remote system for a break of 1000 ms.
    case sendBreak
    /// `~R`: asks for new keys.
    case rekey
    /// `~C`: reads a command such as `-L 8080:localhost:80`.
    case openCommandLine
    /// `~v`, `~V`: says more or less; ``EscapeFilter/verbosityText(more:levelName:)`` answers.
    case changeVerbosity(more: Bool)
}

/// Finds the escape sequences in what is typed (ssh(1), ESCAPE CHARACTERS; clientloop.c).
///
/// The escape character counts at the beginning and after a newline or carriage return, and again
/// right after an escape that was obeyed. Valid transitions are:
///
///     elsewhere ── CR, LF ──▶ lineStart ── escape ──▶ pending ── a key that is known ──▶ lineStart
///         ▲                      │                       │
///         └─── any other byte ───┴─ any other key, sent ─┘
public struct EscapeFilter: Sendable {
    /// What decides whether a sequence is obeyed.
    public struct Setting: Sendable {
        /// EscapeChar; nil finds no sequences.
        public var character: UInt8?
        /// EnableEscapeCommandline.
        public var allowsCommandLine = false
        /// Whether this is a session over somebody else's connection.
        public var isMultiplexed = false
        /// Whether messages go to standard error, not to a file or syslog.
        public var logsToStandardError = true

        /// Describes ssh's own default, `~`.
        /// - Parameter character: EscapeChar; nil finds no sequences.
        public init(character: UInt8? = UInt8(ascii: "~")) { self.character = character }
    }

    private enum Place {
        case lineStart
        case elsewhere
        case pending
    }

    /// What decides; it may change at any time.
    public var setting: Setting
    private var place = Place.lineStart

    /// Begins at the start of a line.
    /// - Parameter setting: what decides.
    public init(_ setting: Setting) { self.setting = setting }

    /// Looks through what was typed.
    /// - Parameter bytes: any bytes; a sequence may be cut anywhere.
    /// - Returns: what to do, in order. Nothing follows ``EscapeAction/disconnect`` and
    ///   ``EscapeAction/background``: what was typed after them is lost.
    public mutating func filter(_ bytes: some Collection<UInt8>) -> [EscapeAction] {
        guard let escape = setting.character else {
            return bytes.isEmpty ? [] : [.send(Array(bytes))]
        }
        var actions: [EscapeAction] = []
        var plain: [UInt8] = []
        for byte in bytes {
            switch place {
            case .lineStart where byte == escape:
                place = .pending
                continue
            case .pending:
                if let found = obey(byte) {
                    if !plain.isEmpty { actions.append(.send(plain)) }
                    plain = []
                    actions += found
                    place = .lineStart
                    if found.last == .disconnect || found.last == .background { return actions }
                    continue
                }
                if byte != escape { plain.append(escape) }
            default:
                break
            }
            plain.append(byte)
            place =
                byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") ? .lineStart : .elsewhere
        }
        if !plain.isEmpty { actions.append(.send(plain)) }
        return actions
    }

    /// What is shown after the verbosity was changed.
    /// - Parameters:
    ///   - more: whether `~v` was typed.
    ///   - levelName: LogLevel's name for the new level, such as `DEBUG`.
    /// - Returns: one line.
    public func verbosityText(more: Bool, levelName: String) -> String {
        let answer = setting.logsToStandardError ? "LogLevel \(levelName)" : "Logging to syslog"
        return "\(name)\(more ? "v" : "V") [\(answer)]\r\n"
    }

    /// - Returns: nil for a key that means nothing after the escape character.
    private func obey(_ key: UInt8) -> [EscapeAction]? {
        guard let sequence = Sequence.all[key] else { return nil }
        if setting.isMultiplexed && sequence.isForConnection {
            let text = "\(name)\(sequence.key) escape not available to multiplexed sessions\r\n"
            return [.show(text)]
        }
        switch sequence.action {
        case nil:
            return [.show(helpText)]
        case .openCommandLine? where !setting.allowsCommandLine:
            return [.show("commandline disabled\r\n")]
        case let action?:
            return (sequence.echo.map { [.show(name + $0)] } ?? []) + [action]
        }
    }

    private var name: String {
        setting.character.map { String(Character(Unicode.Scalar($0))) } ?? ""
    }
}

/// One escape sequence that is obeyed.
private struct Sequence {
    /// How its key is written.
    let key: String
    /// What it does; nil shows the help.
    let action: EscapeAction?
    /// What is shown first, after the escape character.
    var echo: String?
    /// Whether it is refused in a session over somebody else's connection.
    var isForConnection = false

    /// By the key's byte.
    static let all: [UInt8: Sequence] = [
        UInt8(ascii: "."): Sequence(key: ".", action: .disconnect, echo: ".\r\n"),
        0x1a: Sequence(
            key: "^Z",
            action: .suspend,
            echo: "^Z [suspend ssh]\r\n",
            isForConnection: true
        ),
        UInt8(ascii: "B"): Sequence(key: "B", action: .sendBreak, echo: "B\r\n"),
        UInt8(ascii: "C"): Sequence(key: "C", action: .openCommandLine, isForConnection: true),
        UInt8(ascii: "R"): Sequence(key: "R", action: .rekey),
        UInt8(ascii: "V"): Sequence(
            key: "V",
            action: .changeVerbosity(more: false),
            isForConnection: true
        ),
        UInt8(ascii: "v"): Sequence(
            key: "v",
            action: .changeVerbosity(more: true),
            isForConnection: true
        ),
        UInt8(ascii: "#"): Sequence(key: "#", action: .listConnections, echo: "#\r\n"),
        UInt8(ascii: "&"): Sequence(
            key: "&",
            action: .background,
            echo: "& [backgrounded]\n",
            isForConnection: true
        ),
        UInt8(ascii: "?"): Sequence(key: "?", action: nil),
    ]
}

// MARK: - Help

extension EscapeFilter {
    /// What `~?` shows.
    public var helpText: String {
        let lines = HelpLine.all.filter { $0.isShown(setting) }.map { line in
            let blanks = String(repeating: " ", count: 3 - line.key.count)
            return " \(name)\(line.key)\(blanks) - \(line.text)\r\n"
        }
        return "\(name)?\r\nSupported escape sequences:\r\n" + lines.joined()
            + " \(name)\(name)   - send the escape character by typing it twice\r\n"
            + "(Note that escapes are only recognized immediately after newline.)\r\n"
    }
}

private struct HelpLine {
    /// At most three characters.
    let key: String
    let text: String
    var isShown: @Sendable (EscapeFilter.Setting) -> Bool = { _ in true }

    static let all = [
        HelpLine(key: ".", text: "terminate session", isShown: \.isMultiplexed),
        HelpLine(
            key: ".",
            text: "terminate connection (and any multiplexed sessions)",
            isShown: { !$0.isMultiplexed }
        ),
        HelpLine(key: "B", text: "send a BREAK to the remote system"),
        HelpLine(
            key: "C",
            text: "open a command line",
            isShown: { !$0.isMultiplexed && $0.allowsCommandLine }
        ),
        HelpLine(key: "R", text: "request rekey"),
        HelpLine(
            key: "V/v",
            text: "decrease/increase verbosity (LogLevel)",
            isShown: { !$0.isMultiplexed }
        ),
        HelpLine(key: "^Z", text: "suspend ssh", isShown: { !$0.isMultiplexed }),
        HelpLine(key: "#", text: "list forwarded connections"),
        HelpLine(
            key: "&",
            text: "background ssh (when waiting for connections to terminate)",
            isShown: { !$0.isMultiplexed }
        ),
        HelpLine(key: "?", text: "this message"),
    ]
}
