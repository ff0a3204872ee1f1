internal import EC2
internal import Faults
internal import Posix
internal import SSH
public import SSHConfig

extension Connector {
    /// Logs in on a connection whose host key is verified.
    /// - Parameters:
    ///   - connection: what ``open(_:)`` gave.
    ///   - plan: the host's configuration.
    ///   - attempt: as whom, and with which keys.
    ///   - remembered: what worked the last time.
    ///   - pairKey: looks for the key of the instance's key pair; nil where there is none.
    ///   - push: lets a key in that was made for this login.
    /// - Returns: what let us in.
    /// - Throws: ``LoginRefused``, or the session's fault.
    @discardableResult
    func logIn(
        _ connection: Connection,
        _ plan: Plan,
        _ attempt: LoginAttempt,
        remembered: RememberedLogin? = nil,
        pairKey: PairKeySearch? = nil,
        push: @escaping (UserKey) throws -> Void
    ) throws -> RememberedLogin {
        var options = plan.options
        options.give(up: connection.restrictions)
        switch attempt.keys {
        case .only(let path): options.useOnlyKey(path)
        case .pair: options.useNoKey()
        case .all, .pushed: break
        }
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
        switch attempt.keys {
        case .all:
            keys.remembered = remembered
            keys.found = pairKey?.found ?? []
            if let pairKey { keys.findMore = { try pairKey.search(besides: $0) } }
        case .pair:
            keys.found = [pairKey?.key].compactMap { $0 }
        case .only, .pushed: break
        }
        if attempt.keys == .pushed {
            guard let key = try? PrivateKey.makeEd25519() else { throw KeyPushFailed.noKey }
            keys.pushed = key
            options.useKeys()
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
            isUTF8: showsUTF8(context.environment),
            push: push
        )
        defer { pairKey?.noteOwn(login.queue) }
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
    public func agentPath(_ options: Options) -> String? {
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

    /// Allows keys whatever was asked for, as one is pushed.
    fileprivate mutating func useKeys() {
        pubkeyAuthentication = .yes
        gssapiAuthentication = false
    }

    /// Leaves no key of those that files and the agent have.
    fileprivate mutating func useNoKey() {
        identities = []
        certificates = []
        identitiesOnly = true
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
