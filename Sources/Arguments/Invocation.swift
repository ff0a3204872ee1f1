/// What was typed, not yet what it means: flags in order, the destination, the command.
///
/// Order matters: ssh acts on each flag as it meets it, so that `-V` before a bad option still
/// prints the version, and a user in `user@host` loses to `-l` before it but wins over `-l` after
/// it. Reading never fails; a ``complaint`` is what stopped it, after ``words``.
public struct Invocation: Sendable, Equatable {
    /// One thing typed before the command.
    public enum Word: Sendable, Equatable {
        /// A flag with its value, which is nil exactly when the flag takes none.
        case flag(Flag, String?)
        /// A long option of our verbs.
        case long(Verb.LongOption)
        /// The destination as typed: `host`, `user@host` or `ssh://user@host:port`.
        case destination(String)
    }

    /// The name we were called by, with its path; C: `argv[0]`.
    public var program: String
    /// What to do other than ssh's own work.
    public var verb: Verb?
    /// Flags and the destination, as typed.
    public var words: [Word]
    /// The words after the destination and its flags.
    public var command: [String]
    /// What stopped the reading.
    public var complaint: Complaint?

    /// The name in messages: the last part of ``program``.
    public var name: String { Invocation.name(of: program) }

    /// The destination, nil when there is none.
    public var destination: String? {
        for case .destination(let typed) in words { return typed }
        return nil
    }

    /// The values a flag was given, in order.
    /// - Parameter flag: a flag that takes a value.
    /// - Returns: empty when it was not used.
    public func values(of flag: Flag) -> [String] {
        words.compactMap { if case .flag(flag, let value) = $0 { value } else { nil } }
    }

    /// Tells whether a flag was used.
    /// - Parameter flag: any flag.
    /// - Returns: true for once or more.
    public func has(_ flag: Flag) -> Bool {
        words.contains { if case .flag(flag, _) = $0 { true } else { false } }
    }

    static func name(of program: String) -> String {
        String(program.utf8.split(separator: UInt8(ascii: "/")).last ?? program.utf8[...])
            ?? program
    }
}

/// What is wrong with a command line.
public enum Complaint: Sendable, Equatable {
    /// A letter that is no flag.
    case unknownFlag(Character)
    /// The flag's value is missing.
    case missingValue(Flag)
}
