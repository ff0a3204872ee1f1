public import Faults

/// The server wants a proof that we do not have.
public struct LoginRefused: Fault, Equatable {
    /// A key that was tried, and what came of it.
    public struct TriedKey: Sendable, Equatable {
        /// What can come of a key.
        public enum Result: Sendable, Equatable {
            /// The server does not take it.
            case refused
            /// The server would take it, but nobody signed with it.
            case notSigned
            /// Its file gives no key, and why: OpenSSH's words after `Load key`.
            case unusable(String)
        }

        /// The file's path, or the comment in the agent.
        public let name: String
        /// What came of it.
        public let result: Result
    }

    /// Who we tried to log in as.
    public let user: String
    /// The host, as Hostname names it.
    public let host: String
    /// The methods that the server named.
    public let methods: [String]
    /// The keys that were tried, in order.
    public let keys: [TriedKey]

    /// Always ``Layer/auth``.
    public var layer: Layer { .auth }
    /// Who was refused, and what was tried.
    public var summary: String {
        let tried = keys.map { "\($0.name) (\($0.text))" }
        let what = tried.isEmpty ? "no key was tried" : "tried \(tried.joined(separator: ", "))"
        return "\(user)@\(host) was not let in (\(methods.joined(separator: ","))); \(what)"
    }
    /// As OpenSSH says it, in `userauth` of sshconnect2.c.
    public var words: [String]? {
        ["\(user)@\(host): Permission denied (\(methods.joined(separator: ",")))."]
    }
}

extension LoginRefused.TriedKey {
    var text: String {
        switch result {
        case .refused: "refused"
        case .notSigned: "not signed with"
        case .unusable(let reason): reason
        }
    }
}

extension LoginRefused {
    /// The keys the server was shown.
    var offeredKeys: [String] { keys.filter { $0.isOffered }.map(\.name) }

    /// What the strategy is told.
    var outcome: LoginOutcome {
        keys.isEmpty || keys.contains { $0.isOffered } ? .keyRefused : .keyFilesUnusable
    }
}

extension LoginRefused.TriedKey {
    fileprivate var isOffered: Bool {
        switch result {
        case .refused, .notSigned: true
        case .unusable: false
        }
    }
}
