internal import Posix
internal import SSH
internal import SSHConfig

/// The user's own public keys, in the order in which an ssh offers them.
struct OwnKeys {
    private let plan: Plan
    private let context: Context

    init(_ plan: Plan, in context: Context) {
        self.plan = plan
        self.context = context
    }

    /// Reads files and agent.
    /// - Returns: plain keys, each once.
    /// - Throws: when a path cannot be expanded.
    func find() throws -> [UserKey] {
        let options = plan.options
        let keys = LoginKeys(
            options: options,
            prompter: context.prompter,
            trace: context.trace,
            agentPath: context.agentPath(options),
            token: nil,
            environment: context.environment,
            expand: { try plan.tokens.file($0, in: plan.environment) }
        )
        var inAgent: [AgentIdentity] = []
        if let path = keys.agentPath, let agent = try? Agent(path: path) {
            inAgent = agent.identities()
        }
        // An old PEM file shows its public half only to who opens it.
        let found = try keys.identities(agentKeys: inAgent).queue.compactMap { identity in
            identity.key ?? keys.readyKey(identity)?.publicKey
        }
        var plain: [UserKey] = []
        for key in found where key.certificate == nil && !plain.contains(key) { plain.append(key) }
        return plain
    }
}
