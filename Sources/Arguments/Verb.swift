/// Names what ec2sh does beside ssh's own work; a verb is one only as the first word.
public enum Verb: String, CaseIterable, Sendable {
    /// Joins standard input and output to the instance's sshd: `proxy HOST [PORT [USER]]`.
    case proxy
    /// Examines the way to a host and the login: `doctor [HOST] [--json] [--security]`.
    case doctor
    /// Mends what doctor found: `fix HOST [--yes] [--dry-run | --undo]`.
    case fix
    /// Shows instances: `list [PATTERN] [--json | --words]`.
    case list
    /// Shows sessions left running, takes one up again or ends it:
    /// `attach [HOST] [ID] [--end | --json]`.
    case attach

    /// Options of our verbs; ssh's own have no long form.
    public enum LongOption: String, CaseIterable, Sendable {
        /// Print JSON.
        case json
        /// Print what may be typed for an instance, from the cache alone.
        case words
        /// Say what should be safer, too.
        case security
        /// Do not ask.
        case yes
        /// Change nothing, say what would be changed.
        case dryRun = "dry-run"
        /// Take back what was changed.
        case undo
        /// End what would be taken up.
        case end
    }

    /// The long options this verb takes.
    public var longOptions: [LongOption] {
        switch self {
        case .doctor: [.json, .security]
        case .list: [.json, .words]
        case .fix: [.yes, .dryRun, .undo]
        case .attach: [.end, .json]
        case .proxy: []
        }
    }

    /// What follows the verb, for the usage text.
    public var synopsis: String {
        switch self {
        case .proxy: "destination [port [user]]"
        case .doctor: "[destination] [--json] [--security]"
        case .fix: "[destination] [--yes] [--dry-run | --undo]"
        case .list: "[pattern] [--json | --words]"
        case .attach: "[destination] [id] [--end | --json]"
        }
    }
}
