internal import Arguments
internal import Faults
internal import Posix
internal import SSHConfig

extension Plan {
    /// Reads the configuration of a jump host, as `ssh -W` on the jump's command line would.
    ///
    /// Of our own command line only `-F` and `-v` count for it (ssh(1), `-J`).
    /// - Parameters:
    ///   - jump: the jump host as ProxyJump names it.
    ///   - configuration: the run's own.
    ///   - context: what the run shares.
    /// - Returns: how to get there and its options.
    /// - Throws: what reading a configuration throws.
    static func jump(
        _ jump: JumpHost,
        after configuration: Configuration,
        in context: Context
    ) throws -> Plan {
        var words: [Invocation.Word] = []
        if let user = jump.user { words.append(.flag(.loginName, user)) }
        if let port = jump.port { words.append(.flag(.port, String(port))) }
        if let file = configuration.configurationFile {
            words.append(.flag(.configurationFile, file))
        }
        let target = configuration.options
        words.append(.flag(.standardForward, "[\(target.hostname)]:\(target.port)"))
        words.append(.destination(jump.host))
        var invocation = configuration.invocation
        invocation.verb = nil
        invocation.words = words
        invocation.command = []
        let request = try Request(
            invocation,
            user: (name: context.user.name, id: context.user.id, home: context.user.home),
            trace: Trace(level: context.trace.level, sink: context.trace.sink),
            version: ""
        )
        guard case .run(let configuration) = request else {
            preconditionFailure("neither -V, -Q nor -G is among a jump's flags")
        }
        return try Plan(configuration)
    }
}
