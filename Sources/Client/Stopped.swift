public import Faults

/// No login is left to try: the last fault, and what the strategy has to say about it.
public struct Stopped: Fault {
    /// What the last attempt ended with.
    public let fault: any Error
    let stop: Strategy.Stop
    /// Whether nobody answered at the address.
    public var isUnanswered: Bool { LoginOutcome(fault) == .noAnswer }

    private var inner: (any Fault)? { fault as? any Fault }
    /// The fault's.
    public var layer: Layer { inner?.layer ?? .local }
    /// The fault's.
    public var summary: String { inner?.summary ?? "\(fault)" }
    /// What was tried, after the fault's own words.
    public var words: [String]? {
        guard let tried = stop.tried else { return inner?.words }
        return (inner?.words ?? ["ec2sh: error: \(summary)"]) + ["ec2sh: \(tried)"]
    }
    /// The strategy's remedy, else the fault's.
    public var hint: Hint? { stop.hint ?? inner?.hint }
    /// The fault's.
    public var cause: (any Error)? { inner?.cause }
}
