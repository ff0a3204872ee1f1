public import Faults

/// What is wrong with what came over a link; the link is of no use any more.
public enum ResumeError: Fault, Equatable {
    /// A frame that the protocol does not allow, or not there.
    case malformed(String)
    /// Offsets that contradict what was agreed before.
    case inconsistent(String)
    /// More text came before the magic line than start-up files print.
    case noise
    /// The remote half has another protocol than ours.
    case version(String)
    /// The other side makes us answer, and takes no answers.
    case flooded

    /// Always ``Faults/Layer/link``.
    public var layer: Layer { .link }
    /// What came.
    public var summary: String {
        switch self {
        case .malformed(let what): "the session's remote half does not keep the protocol: \(what)"
        case .inconsistent(let what): "the session's remote half has lost count: \(what)"
        case .noise:
            "the remote command for resumable sessions prints too much before it begins"
        case .version(let word): "the session's remote half has protocol \(word), not 1"
        case .flooded: "the session's remote half asks much and reads no answers"
        }
    }
    /// To do without.
    public var hint: Hint? { .advice("`-o Resume=no` does without sessions that can be resumed") }
}
