/// Describes a failure so that one place can print it: what failed, where, why, and the remedy.
///
/// Every error type of the project conforms. The executable prints `summary` and `hint`; causes
/// are shown by `-v`. No property ever holds a secret.
public protocol Fault: Error, Sendable, CustomStringConvertible {
    /// The step of the path that failed.
    var layer: Layer { get }
    /// What was seen: one line, lower case at its start, no full stop.
    var summary: String { get }
    /// What the user can do about it.
    var hint: Hint? { get }
    /// The error below this one, if there was one.
    var cause: (any Error)? { get }
    /// The words OpenSSH's `ssh` prints in this case, whole lines without their line ends, where
    /// tools read them; nil where ours are to be printed (`ec2sh: error: …`).
    var words: [String]? { get }
}

extension Fault {
    /// No remedy is known.
    public var hint: Hint? { nil }
    /// Nothing below.
    public var cause: (any Error)? { nil }
    /// OpenSSH has no words of its own for this.
    public var words: [String]? { nil }
    /// The layer and the summary, for traces and tests.
    public var description: String { "\(layer.rawValue): \(summary)" }
}

/// A remedy that is offered with an error: a command that can be pasted, or a place to look.
public enum Hint: Sendable, Equatable {
    /// A shell command, quoted so that it can be pasted as it is.
    case run(String)
    /// A sentence for what no single command does: lower case, no full stop.
    case advice(String)

    /// What is printed after `ec2sh: hint: `.
    public var text: String {
        switch self {
        case .run(let command): "run: \(command)"
        case .advice(let sentence): sentence
        }
    }
}
