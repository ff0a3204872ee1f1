internal import Arguments
internal import Faults
internal import Posix
internal import SSHConfig

/// Applies flags one by one, as the option loop of `main` in `ssh.c` does.
struct FlagReader {
    let invocation: Invocation
    var resolver: OptionsResolver
    /// The destination's host.
    var host: String?
    var controlCommand: Configuration.ControlCommand?
    /// C: `debug_flag`.
    var verbosity = 0

    init(_ invocation: Invocation, _ environment: ConfigEnvironment) {
        self.invocation = invocation
        resolver = OptionsResolver(environment: environment)
    }

    /// The value of the last `-F`.
    var configurationFile: String? { invocation.values(of: .configurationFile).last }

    /// Applies one word.
    /// - Returns: the answer when the word ends the run.
    mutating func read(_ word: Invocation.Word, _ version: String) throws -> Request? {
        switch word {
        case .long:
            return nil
        case .destination(let text):
            try set(destination: text)
            return nil
        case .flag(.version, _):
            return .print(output: [], errors: [version])
        case .flag(.query, let name):
            let name = name ?? ""
            guard let lines = Queries.answer(name) else {
                throw ConfigurationFault("Unsupported query \"\(name)\"")
            }
            return .print(output: Array((lines.joined(separator: "\n") + "\n").utf8), errors: [])
        case .flag(let flag, let value?):
            try set(flag, value)
            return nil
        case .flag(let flag, nil):
            try set(flag)
            return nil
        }
    }

    private mutating func set(destination text: String) throws {
        guard let destination = resolver.destination(text) else { throw UsageFault(invocation) }
        host = destination.host
        if let user = destination.user, !isSet(.user) { resolver.put(.user, \.user, user) }
        if let port = destination.port, !isSet(.port) { resolver.put(.port, \.port, port) }
    }

    private func isSet(_ keyword: Keyword) -> Bool { resolver.options.isSet(keyword) }
}

// MARK: Flags without a value

extension FlagReader {
    private mutating func set(_ flag: Flag) throws {
        switch flag {
        case .protocol1:
            throw ConfigurationFault("SSH protocol v.1 is no longer supported")
        case .ipv4: resolver.put(.addressFamily, \.addressFamily, .inet)
        case .ipv6: resolver.put(.addressFamily, \.addressFamily, .inet6)
        case .noStandardInput: resolver.put(.stdinNull, \.stdinNull, true)
        case .background:
            resolver.put(.forkAfterAuthentication, \.forkAfterAuthentication, true)
            resolver.put(.stdinNull, \.stdinNull, true)
        case .noForwardX11: resolver.put(.forwardX11, \.forwardX11, false)
        case .forwardX11: resolver.put(.forwardX11, \.forwardX11, true)
        case .trustedX11:
            resolver.put(.forwardX11, \.forwardX11, true)
            resolver.put(.forwardX11Trusted, \.forwardX11Trusted, true)
        case .gatewayPorts: resolver.put(.gatewayPorts, \.gatewayPorts, true)
        case .noForwardAgent: resolver.put(.forwardAgent, \.forwardAgent, false)
        case .forwardAgent: resolver.put(.forwardAgent, \.forwardAgent, true)
        case .noDelegation:
            resolver.put(.gssapiDelegateCredentials, \.gssapiDelegateCredentials, false)
        case .gssapi:
            resolver.put(.gssapiAuthentication, \.gssapiAuthentication, true)
            resolver.put(.gssapiDelegateCredentials, \.gssapiDelegateCredentials, true)
        case .compression: resolver.put(.compression, \.compression, true)
        case .terminal:
            let isSecond = isSet(.requestTTY) && resolver.options.requestTTY == .yes
            resolver.put(.requestTTY, \.requestTTY, isSecond ? .force : .yes)
        case .noTerminal: resolver.put(.requestTTY, \.requestTTY, .no)
        case .controlMaster:
            let isSecond = resolver.options.controlMaster == .yes
            resolver.put(.controlMaster, \.controlMaster, isSecond ? .ask : .yes)
        case .noSession:
            try setSession(.none, "Cannot specify -N with -s/SessionType")
            resolver.put(.requestTTY, \.requestTTY, .no)
        case .subsystem:
            try setSession(.subsystem, "Cannot specify -s with -N/SessionType")
        case .verbose: raiseVerbosity()
        case .quiet: resolver.put(.logLevel, \.logLevel, .quiet)
        default:
            // -2 and -P mean nothing; -G, -y are looked for where they matter.
            break
        }
    }

    private mutating func setSession(_ type: SessionType, _ conflict: String) throws {
        if isSet(.sessionType), resolver.options.sessionType != type {
            throw ConfigurationFault(conflict)
        }
        resolver.put(.sessionType, \.sessionType, type)
    }

    /// The first `-v` sets debug1, each further one adds a level to what there is by then.
    private mutating func raiseVerbosity() {
        guard verbosity > 0 else {
            verbosity = 1
            resolver.put(.logLevel, \.logLevel, .debug1)
            return
        }
        let level = resolver.options.logLevel
        guard level < .debug3, let next = Trace.Level(rawValue: level.rawValue + 1) else { return }
        verbosity += 1
        resolver.put(.logLevel, \.logLevel, next)
    }
}

// MARK: Flags with a value

extension FlagReader {
    mutating func set(_ flag: Flag, _ value: String) throws {
        switch flag {
        case .option: try resolver.option(value)
        case .port:
            if isSet(.port) { return }
            guard let port = resolver.port(value) else { throw UsageFault(["Bad port '\(value)'"]) }
            resolver.put(.port, \.port, port)
        case .loginName:
            if !isSet(.user) { resolver.put(.user, \.user, value) }
        case .identityFile: try addIdentity(value)
        case .pkcs11: resolver.put(.pkcs11Provider, \.pkcs11Provider, value)
        case .jump: try resolver.jump(value)
        case .bindAddress: resolver.put(.bindAddress, \.bindAddress, value)
        case .bindInterface: resolver.put(.bindInterface, \.bindInterface, value)
        case .controlPath: resolver.put(.controlPath, \.controlPath, value)
        case .controlCommand: try setControlCommand(value)
        case .standardForward: try setStandardForward(value)
        case .localForward: try addForward(value, .local, "local")
        case .remoteForward: try addForward(value, .remote, "remote")
        case .dynamicForward: try addForward(value, .dynamic, "dynamic")
        case .cipher:
            guard resolver.isCipherList(value) else {
                throw UsageFault(["Unknown cipher type '\(value)'"])
            }
            resolver.put(.ciphers, \.ciphers, [value])
        case .mac:
            guard resolver.isMACList(value) else {
                throw UsageFault(["Unknown mac type '\(value)'"])
            }
            resolver.put(.macs, \.macs, [value])
        case .escapeCharacter:
            let byte = resolver.escapeCharacter(value)
            guard byte != nil || value == "none" else {
                throw UsageFault(["Bad escape character '\(value)'."])
            }
            resolver.put(.escapeChar, \.escapeChar, byte)
        case .tunnel:
            if !isSet(.tunnel) { resolver.put(.tunnel, \.tunnel, .pointToPoint) }
            guard let device = resolver.tunnelDevice(value) else {
                throw UsageFault(["Bad tun device '\(value)'"])
            }
            resolver.put(.tunnelDevice, \.tunnelDevice, device)
        default:
            // -E and -F are looked for where they matter.
            break
        }
    }

    private mutating func addIdentity(_ value: String) throws {
        let path = try resolver.expandTilde(value)
        if let problem = problem(withRawPath: LosslessText.bytes(path)) {
            resolver.warn("Warning: Identity file \(path) not accessible: \(problem.reason).")
        } else {
            try resolver.identityFile(path)
        }
    }

    private mutating func addForward(
        _ value: String,
        _ flag: OptionsResolver.ForwardFlag,
        _ name: String
    ) throws {
        if !resolver.forward(value, flag) {
            throw UsageFault(["Bad \(name) forwarding specification '\(value)'"])
        }
    }

    private mutating func setControlCommand(_ value: String) throws {
        if resolver.options.stdioForward != nil {
            throw ConfigurationFault("Cannot specify multiplexing command with -W")
        }
        if controlCommand != nil {
            throw ConfigurationFault("Multiplexing command already specified")
        }
        guard let command = Configuration.ControlCommand(rawValue: value) else {
            throw ConfigurationFault("Invalid multiplex command.")
        }
        controlCommand = command
    }

    private mutating func setStandardForward(_ value: String) throws {
        if resolver.options.stdioForward != nil {
            throw ConfigurationFault("stdio forward already specified")
        }
        if controlCommand != nil {
            throw ConfigurationFault("Cannot specify stdio forward with -O")
        }
        guard let target = resolver.stdioForward(value) else {
            throw UsageFault(["Bad stdio forwarding specification '\(value)'"])
        }
        resolver.putStdioForward(target)
        resolver.put(.requestTTY, \.requestTTY, .no)
        resolver.put(.sessionType, \.sessionType, .none)
    }
}
