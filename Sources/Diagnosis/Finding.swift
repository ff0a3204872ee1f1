public import Faults

/// What a check has found.
public struct Finding: Sendable, Equatable {
    /// What it means.
    public enum Status: String, Sendable, CaseIterable {
        /// As it should be.
        case ok
        /// Worth knowing, and in nobody's way.
        case note
        /// In the way.
        case broken
        /// Nobody could tell.
        case unknown
        /// Not looked at, since something that was found broken explains whatever it would say.
        case skipped
    }

    /// What it means.
    public var status: Status
    /// One sentence, lower case, no full stop.
    public var says: String
    /// The facts it rests on, as they were seen; empty where the sentence is the fact.
    public var seen: [String]
    /// What mends it.
    public var remedy: Hint?
    /// The change that `ec2sh fix` can make; nil where people have to.
    public var repair: Change?
    /// The check that explains it, for ``Status/skipped``.
    public var cause: Check.ID?

    /// All is well.
    public static func ok(_ says: String, seen: [String] = []) -> Finding {
        Finding(status: .ok, says: says, seen: seen)
    }

    /// Worth knowing.
    public static func note(_ says: String, seen: [String] = [], _ remedy: Hint? = nil) -> Finding {
        Finding(status: .note, says: says, seen: seen, remedy: remedy)
    }

    /// In the way.
    public static func broken(
        _ says: String,
        seen: [String] = [],
        _ remedy: Hint? = nil,
        repair: Change? = nil
    ) -> Finding {
        var finding = Finding(status: .broken, says: says, seen: seen, remedy: remedy)
        finding.repair = repair
        return finding
    }

    /// Nobody could tell, and why.
    public static func unknown(
        _ says: String,
        seen: [String] = [],
        _ remedy: Hint? = nil
    ) -> Finding {
        Finding(status: .unknown, says: says, seen: seen, remedy: remedy)
    }

    /// There is nothing to look at, or something else explains it.
    public static func skipped(_ says: String, because cause: Check.ID? = nil) -> Finding {
        Finding(status: .skipped, says: says, seen: [], cause: cause)
    }

    /// The same, in nobody's way after all: for an obstacle that there is a way around.
    /// - Parameter why: what makes it harmless.
    /// - Returns: a note in the place of something broken.
    func harmless(_ why: String) -> Finding {
        guard status == .broken else { return self }
        return .note("\(says); \(why)", seen: seen, remedy)
    }

    private init(
        status: Status,
        says: String,
        seen: [String],
        remedy: Hint? = nil,
        cause: Check.ID? = nil
    ) {
        self.status = status
        self.says = says
        self.seen = seen
        self.remedy = remedy
        self.cause = cause
    }
}
