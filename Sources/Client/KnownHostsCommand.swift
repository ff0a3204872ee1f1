internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// Asks KnownHostsCommand (ssh_config(5)) for lines of known_hosts about one name.
struct KnownHostsCommand {
    private let command: String
    private let plan: Plan
    private let trace: Trace
    /// What the server has shown; nil before it has shown anything.
    private let key: HostKey?

    /// - Returns: nil when the configuration has no such command.
    init?(_ plan: Plan, _ key: HostKey? = nil, trace: Trace) {
        guard let command = plan.options.knownHostsCommand else { return nil }
        self.command = command
        self.plan = plan
        self.trace = trace
        self.key = key
    }

    /// Runs the command.
    /// - Parameters:
    ///   - invocation: why: `HOSTNAME` or `ADDRESS`; `ORDER` before there is a key.
    ///   - name: the name or address looked up.
    /// - Returns: what it put out; nothing when it cannot be run, which is said, as by OpenSSH.
    /// - Throws: ``HostKeyRefusal/commandFailed(_:)`` when it ends badly.
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
        let tag = "KnownHostsCommand-\(invocation)"
        var words: [String] = []
        do {
            words = try plan.tokens.knownHostsCommand(command, query, in: plan.environment) ?? []
        } catch {
            throw .commandFailed("\(tag): \(error)")
        }
        // As OpenSSH: no shell runs it, and no path is searched.
        guard let program = words.first, program.hasPrefix("/") else {
            trace.say(.error, "\(tag) path is not absolute")
            return []
        }
        let result: CommandResult
        do throws(SystemError) {
            result = try runToEnd(Command(program, Array(words.dropFirst())))
        } catch {
            trace.say(.error, "Could not stat \(tag) \"\(program)\": \(error.reason)")
            return []
        }
        if result.status.isSuccess { return result.output }
        let name = words.joined(separator: " ")
        let how =
            switch result.status {
            case .exited(let code): "failed, status \(code)"
            case .killed(let signal): "exited on signal \(signal.rawValue)"
            case .unknown: "ended, nobody knows how"
            }
        throw .commandFailed("\(tag) \(name) \(how)")
    }
}
