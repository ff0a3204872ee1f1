internal import Faults
internal import Posix
public import SSHConfig

extension ConfigEnvironment {
    /// The real system, as the configuration asks it.
    /// - Parameter user: who runs us.
    /// - Returns: everything but where lines are said, which is nowhere yet.
    public static func system(user: (name: String, id: UInt32, home: String)) -> ConfigEnvironment {
        var environment = ConfigEnvironment(user: user)
        environment.hostName = Posix.hostName
        environment.variable = { name in
            rawVariable(LosslessText.bytes(name)).map { LosslessText.string($0) }
        }
        environment.homeOf = { User.find(name: $0)?.home }
        environment.readFile = open
        environment.isPrivateGroup = { group, owner in
            Posix.isPrivateGroup(group, of: user.id, fileOwner: owner)
        }
        environment.glob = match
        environment.run = runInShell
        environment.problemWithPath = { problem(withRawPath: LosslessText.bytes($0))?.reason }
        environment.servicePort = Posix.servicePort
        environment.numericAddress = numericAddress
        environment.lookUp = lookUp
        environment.isTerminal = { Posix.isTerminal(0) }
        environment.warn = { line in
            do throws(SystemError) {
                try writeAll(2, LosslessText.bytes(line) + [UInt8(ascii: "\n")])
            } catch {
                // Nobody is there to read it.
            }
        }
        return environment
    }

    private static func open(_ path: String) -> FileOutcome {
        do throws(SystemError) {
            let file = try Posix.readFile(rawPath: LosslessText.bytes(path))
            let facts = file.facts
            return .contents(
                file.bytes,
                FileFacts(owner: facts.owner, group: facts.group, mode: facts.mode)
            )
        } catch {
            return error.isNotFound
                ? .missing(reason: error.reason) : .failed(reason: error.reason)
        }
    }

    private static func match(_ pattern: String) -> GlobOutcome {
        do throws(SystemError) {
            let paths = try rawMatchingPaths(LosslessText.bytes(pattern))
            return paths.isEmpty ? .none : .paths(paths.map { LosslessText.string($0) })
        } catch {
            return .failed
        }
    }

    /// C: `execute_in_shell` in `readconf.c`.
    private static func runInShell(_ line: String) -> CommandOutcome {
        let shell = rawVariable(Array("SHELL".utf8)).map { LosslessText.string($0) } ?? "/bin/sh"
        guard isAccessible(path: shell, executing: true) else {
            let reason = problem(withRawPath: LosslessText.bytes(shell))?.reason
            return .noShell(shell, reason: reason ?? "Permission denied")
        }
        do throws(SystemError) {
            let child = try spawn(
                Command(shell, ["-c", line]),
                input: .null,
                output: .null,
                errors: .inherited
            )
            guard case .exited(let status) = child.wait() else { return .signalled }
            return .exited(Int(status))
        } catch {
            return .noShell(shell, reason: error.reason)
        }
    }

    private static func query(_ name: String, _ family: SSHConfig.AddressFamily) -> NameQuery {
        var query = NameQuery(host: name, port: 22)
        switch family {
        case .any: query.family = nil
        case .inet: query.family = .ipv4
        case .inet6: query.family = .ipv6
        }
        return query
    }

    private static func numericAddress(
        _ name: String,
        _ family: SSHConfig.AddressFamily
    ) -> String? {
        let addresses = query(name, family).numericAnswer()?.addresses ?? []
        return addresses.count == 1 ? addresses.first?.host : nil
    }

    private static func lookUp(
        _ name: String,
        _ family: SSHConfig.AddressFamily
    ) -> LookupOutcome {
        var query = query(name, family)
        query.wantsCanonicalName = true
        switch query.answerNow() {
        case .success(let answer): return .found(canonicalName: answer.canonicalName)
        case .failure(let error) where error.isNotFound: return .unknown(reason: error.reason)
        case .failure(let error): return .failed(reason: error.reason)
        }
    }
}
