internal import Posix
internal import SSH
internal import SSHConfig

/// Asks KnownHostsCommand (ssh_config(5)) for lines of known_hosts about one name.
struct KnownHostsCommand {
    private let command: String
    private let plan: Plan
    /// What the server has shown; nil before it has shown anything.
    private let key: HostKey?

    /// - Returns: nil when the configuration has no such command.
    init?(_ plan: Plan, _ key: HostKey? = nil) {
        guard let command = plan.options.knownHostsCommand else { return nil }
        self.command = command
        self.plan = plan
        self.key = key
    }

    /// Runs the command.
    /// - Parameters:
    ///   - invocation: why: `HOSTNAME` or `ADDRESS`; `ORDER` before there is a key.
    ///   - name: the name or address looked up.
    /// - Returns: what it put out.
    /// - Throws: ``HostKeyRefusal/commandFailed`` when it cannot be run or ends badly.
    func callAsFunction(
        _ invocation: String,
        _ name: String
    ) throws(HostKeyRefusal) -> [UInt8] {
        let query = Tokens.HostKeyQuery(
            name: name,
            reason: invocation,
            key: key.map {
                ($0.algorithm, $0.fingerprint(plan.options.fingerprintHash), $0.base64)
            }
        )
        do {
            let words = try plan.tokens.knownHostsCommand(command, query, in: plan.environment)
            // As OpenSSH: no shell runs it, and no path is searched.
            guard let words, let program = words.first, program.hasPrefix("/") else {
                throw HostKeyRefusal.commandFailed
            }
            let result = try runToEnd(Command(program, Array(words.dropFirst())))
            guard result.status.isSuccess else { throw HostKeyRefusal.commandFailed }
            return result.output
        } catch {
            throw .commandFailed
        }
    }
}
