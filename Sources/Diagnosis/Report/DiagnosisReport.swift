/// What an examination has come to.
public struct DiagnosisReport: Sendable {
    /// A check with what it found.
    public struct Row: Sendable {
        /// What was looked at.
        public let check: Check
        /// What was found.
        public let finding: Finding
    }

    /// What all of it means.
    public enum Verdict: String, Sendable {
        /// Nothing is in the way.
        case healthy
        /// Something is.
        case broken
        /// Nobody could tell.
        case unknown

        /// What the process ends with.
        public var exitStatus: Int32 {
            switch self {
            case .healthy: 0
            case .broken: 1
            case .unknown: 255
            }
        }
    }

    /// The host as it was typed; nil when this machine alone was looked at.
    public let host: String?
    /// In order.
    public let rows: [Row]
    /// What all of it means.
    public let verdict: Verdict

    /// Draws the conclusion.
    /// - Parameters:
    ///   - host: the host as it was typed.
    ///   - checks: what was looked at, in order.
    ///   - findings: what was found.
    ///   - essential: the checks without which nothing can be called healthy.
    public init(
        host: String?,
        _ checks: [Check],
        _ findings: [Check.ID: Finding],
        essential: [Check.ID]
    ) {
        self.host = host
        rows = checks.compactMap { check in
            findings[check.id].map { Row(check: check, finding: $0) }
        }
        if rows.contains(where: { $0.finding.status == .broken }) {
            verdict = .broken
        } else {
            let isKnown = essential.allSatisfy {
                [.ok, .note].contains(findings[$0]?.status ?? .unknown)
            }
            verdict = isKnown ? .healthy : .unknown
        }
    }

    /// What is in the way, the first cause first.
    public var causes: [Row] { rows.filter { $0.finding.status == .broken } }
}
