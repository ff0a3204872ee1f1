public import Faults
public import Posix
public import Terminal

/// What every part of one run shares: the loop, the trace, the user, the environment.
public final class Context {
    /// The one loop.
    public let poller: Poller
    /// Where `-v` and errors go.
    public let trace: Trace
    /// Asks the user.
    public let prompter: Prompter
    /// The process's environment.
    public let environment: [String: String]
    /// The account that runs us.
    public let user: User
    /// The run's own command line and configuration.
    public let configuration: Configuration

    /// Collects what a run shares.
    /// - Parameters:
    ///   - poller: the one loop.
    ///   - trace: where `-v` and errors go.
    ///   - prompter: asks the user.
    ///   - environment: the process's environment.
    ///   - user: the account that runs us.
    ///   - configuration: the run's own command line and configuration.
    public init(
        poller: Poller,
        trace: Trace,
        prompter: Prompter,
        environment: [String: String],
        user: User,
        configuration: Configuration
    ) {
        self.poller = poller
        self.trace = trace
        self.prompter = prompter
        self.environment = environment
        self.user = user
        self.configuration = configuration
    }

    /// The user's own table of names by image.
    var userTablePath: String {
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? user.home + "/.config") + "/ec2sh/users.json"
    }

    /// The shell that runs the user's commands here: SHELL, else `/bin/sh`.
    var shell: String? { environment["SHELL"] }
}
