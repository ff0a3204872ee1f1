internal import Faults

/// Expands the values that `-G` shows expanded.
///
/// C: `main` in `ssh.c`, "Expand tokens in arguments".
struct Expander {
    let parser: ConfigParser
    let tokens: Tokens

    func expand(_ options: inout Options) throws(ConfigurationFault) {
        options.remoteCommand = try options.remoteCommand.map(percent)
        options.controlPath = try options.controlPath.map(path)
        options.identityAgent = try options.identityAgent.map(path)
        if let socket = options.forwardAgentSocket {
            let socket = try path(socket)
            options.forwardAgentSocket = socket
            if let reason = parser.environment.problemWithPath(socket) {
                parser.say(.error, "Cannot forward agent socket path \"\(socket)\": \(reason)")
                if options.exitOnForwardFailure { throw ConfigurationFault(nil) }
            }
        }
        for index in options.userKnownHostsFile.indices {
            options.userKnownHostsFile[index] = try path(options.userKnownHostsFile[index])
        }
        for index in options.localForwards.indices {
            try expand(&options.localForwards[index])
        }
        for index in options.remoteForward.indices {
            try expand(&options.remoteForward[index])
        }
    }

    private func expand(_ forward: inout Forward) throws(ConfigurationFault) {
        if case .unix(let path) = forward.listener {
            forward.listener = .unix(path: try percent(path))
        }
        if case .unix(let path) = forward.destination {
            forward.destination = .unix(path: try percent(path))
        }
    }

    /// `%` only.
    ///
    /// C: `default_client_percent_expand`.
    private func percent(_ text: String) throws(ConfigurationFault) -> String {
        do throws(Expansion.Failure) {
            return try Expansion(tokens: tokens.value)(text)
        } catch {
            for line in error.lines { parser.say(.error, line) }
            throw ConfigurationFault("percent_expand: failed")
        }
    }

    /// `~`, `%` and `${}`.
    ///
    /// C: `default_client_percent_dollar_expand`.
    private func path(_ text: String) throws(ConfigurationFault) -> String {
        let environment = parser.environment
        var expanded = text
        do throws(Expansion.Failure) {
            expanded = try expandTilde(
                text,
                home: environment.user.home,
                homeOf: environment.homeOf
            )
        } catch {
            for line in error.lines { parser.say(.error, line) }
            throw ConfigurationFault(nil)
        }
        do throws(Expansion.Failure) {
            let expansion = Expansion(tokens: tokens.value, variable: environment.variable)
            return try expansion(expanded)
        } catch {
            for line in error.lines { parser.say(.error, line) }
            throw ConfigurationFault(
                error.isMissingVariable
                    ? "invalid environment variable expansion" : "percent_dollar_expand: failed"
            )
        }
    }
}
