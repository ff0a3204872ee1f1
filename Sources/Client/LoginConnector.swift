internal import EC2
internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

extension Connector {
    /// Logs in on a connection whose host key is verified.
    /// - Parameters:
    ///   - connection: what ``open(_:)`` gave.
    ///   - plan: the host's configuration.
    ///   - attempt: as whom, and with which keys.
    ///   - push: lets a key in that was made for this login.
    /// - Returns: what let us in.
    /// - Throws: ``LoginRefused``, or the session's fault.
    @discardableResult
    func logIn(
        _ connection: Connection,
        _ plan: Plan,
        _ attempt: LoginAttempt,
        push: (UserKey) throws -> Void
    ) throws -> RememberedLogin {
        var options = plan.options
        options.give(up: connection.restrictions)
        if case .only(let path) = attempt.keys { options.useOnlyKey(path) }
        var tokens = plan.tokens
        tokens.remoteUser = attempt.user
        let expansion = tokens
        var keys = LoginKeys(
            options: options,
            prompter: context.prompter,
            trace: context.trace,
            agentPath: context.agentPath(options),
            token: LoginToken(options, in: context),
            environment: context.environment,
            expand: { try expansion.file($0, in: plan.environment) }
        )
        if attempt.keys == .pushed {
            guard let key = try? PrivateKey.makeEd25519() else { throw KeyPushFailed.noKey }
            try push(key.publicKey)
            keys.pushed = key
            options.useKeysOnly()
        }
        var login = Login(
            connection.session,
            user: attempt.user,
            host: options.hostname,
            options: options,
            keys: keys,
            prompter: context.prompter,
            poller: context.poller,
            trace: context.trace,
            isUTF8: showsUTF8(context.environment)
        )
        let method = try login.run()
        let address = connection.peer.address.split(separator: " ").first ?? ""
        let way =
            address == "UNKNOWN" ? "(via proxy)" : "([\(address)]:\(options.port))"
        context.trace.say(
            .verbose,
            "Authenticated to \(options.hostname) \(way) using \"\(method)\"."
        )
        return login.success
    }
}

extension Context {
    /// The agent's socket: IdentityAgent, else SSH_AUTH_SOCK (ssh_config(5)).
    /// - Parameter options: IdentityAgent.
    /// - Returns: nil when there is none or it is not to be asked.
    func agentPath(_ options: Options) -> String? {
        let path: String?
        switch options.identityAgent {
        case nil, "SSH_AUTH_SOCK": path = environment["SSH_AUTH_SOCK"]
        case "none": path = nil
        case let name? where name.hasPrefix("$"):
            path = environment[String(name.dropFirst())]
        case let given: path = given
        }
        return path?.isEmpty == true ? nil : path
    }
}

extension Options {
    /// Sends nothing that a server without a trusted key could misuse.
    fileprivate mutating func give(up exposed: HostKeyPolicy.Exposed) {
        if exposed.contains(.password) { passwordAuthentication = false }
        if exposed.contains(.keyboardInteractive) { kbdInteractiveAuthentication = false }
        if exposed.contains(.agent) { forwardAgent = false }
    }

    /// Leaves nothing but keys.
    fileprivate mutating func useKeysOnly() {
        pubkeyAuthentication = .yes
        passwordAuthentication = false
        kbdInteractiveAuthentication = false
        gssapiAuthentication = false
    }

    /// Leaves one key file, so that a server's limit of tries is not met.
    fileprivate mutating func useOnlyKey(_ path: String) {
        identities = identities.prefix(1).map { first in
            var identity = first
            identity.path = path
            return identity
        }
        identitiesOnly = true
    }
}
