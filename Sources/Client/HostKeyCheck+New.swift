internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

/// What is done about keys that are known, and about those of hosts nobody has met.
extension HostKeyCheck {
    /// The key is the host's.
    func greet(_ found: HostKeyCase, _ entry: KnownHostsEntry) {
        let type = found.key.shortName
        let name = found.name.prefix(bytes: 200)
        trace.debug(
            .debug1,
            .trust,
            "Host '\(name)' is known and matches the \(type) host key."
        )
        trace.debug(.debug1, .trust, "Found key in \(entry.path):\(entry.line)")
        let address = found.address.prefix(bytes: 128)
        guard checksAddress, found.isNewAddress else {
            if policy.options.visualHostKey {
                trace.say(.info, HostKeyWords.picture(found.key, policy.options.fingerprintHash))
            }
            return
        }
        guard found.writing == .allowed, let path = policy.userFiles.first else {
            let words = "\(type) host key for IP address '\(address)' not in list of known hosts."
            return trace.say(.info, words)
        }
        if write([found.address], found.key, to: path) {
            trace.say(
                .info,
                "Warning: Permanently added the \(type) host key for IP address '\(address)' "
                    + "to the list of known hosts."
            )
        } else {
            trace.say(
                .info,
                "Failed to add the \(type) host key for IP address '\(address)' to the list of "
                    + "known hosts (\(path.prefix(bytes: 500)))."
            )
        }
    }

    /// Nothing is known about the host.
    mutating func meet(
        _ found: HostKeyCase
    ) throws(HostKeyRefusal) -> HostKeyPolicy.Exposed {
        if found.hasAuthority { trace.say(.info, HostKeyWords.authorityInVain(found)) }
        if let restrictions = restrictionsWithoutPort(found) { return restrictions }
        guard found.writing == .allowed, let path = policy.userFiles.first else {
            throw HostKeyRefusal.unknown(found)
        }
        switch policy.options.strictHostKeyChecking {
        case .yes:
            trace.say(.error, HostKeyWords.unknownAndStrict(found))
            throw HostKeyRefusal.unknown(found)
        case .ask:
            let question = HostKeyWords.question(found, policy, otherNames: otherNames(found))
            let fingerprint = found.key.fingerprint(policy.options.fingerprintHash)
            guard confirm(question, fingerprint: fingerprint) else {
                throw HostKeyRefusal.declined(found)
            }
        case .no, .acceptNew:
            break
        }
        writeDown(found, to: path)
        return []
    }

    /// A host on another port may be known by its name alone.
    /// - Returns: nil when it is not.
    private mutating func restrictionsWithoutPort(
        _ found: HostKeyCase
    ) -> HostKeyPolicy.Exposed? {
        guard policy.options.hostKeyAlias == nil, policy.options.port != 0,
            policy.options.port != 22, !found.isRetry
        else {
            return nil
        }
        trace.debug(.debug1, .trust, "checking without port identifier")
        do throws(HostKeyRefusal) {
            let restrictions = try check(found.key, port: 0, writing: .neverAndQuiet)
            trace.debug(.debug1, .trust, "found matching key w/out port")
            return restrictions
        } catch {
            return nil
        }
    }

    private func writeDown(_ found: HostKeyCase, to path: String) {
        var names = [found.name]
        if checksAddress && found.isNewAddress { names.append(found.address) }
        guard write(names, found.key, to: path) else {
            let words = "Failed to add the host to the list of known hosts"
            return trace.say(.info, "\(words) (\(path.prefix(bytes: 500))).")
        }
        let shown = names.joined(separator: ",")
        trace.say(
            .info,
            "Warning: Permanently added '\(shown.prefix(bytes: 200))' (\(found.key.shortName)) "
                + "to the list of known hosts."
        )
    }

    private func write(_ names: [String], _ key: HostKey, to path: String) -> Bool {
        do throws(SystemError) {
            let addition = KnownHostsAddition(
                names: names,
                key: key,
                isHashed: policy.options.hashKnownHosts
            )
            try addition.append(to: path, home: policy.home)
            return true
        } catch {
            if error.call == "mkdir" {
                let directory = error.subject.prefix(bytes: 200)
                trace.say(.error, "Could not create directory '\(directory)' (\(error.reason)).")
            }
            trace.debug(.debug1, .trust, error.summary)
            return false
        }
    }

    /// The other names of the key; none as soon as one file cannot be read, as in OpenSSH.
    private func otherNames(_ found: HostKeyCase) -> [String] {
        if let file = known.files.first(where: { $0.problem != nil }), let problem = file.problem {
            trace.say(
                .error,
                "hostkeys_find_by_key_hostfile: hostkeys_foreach failed for \(file.path): "
                    + problem
            )
            return []
        }
        return known.otherNames(of: found.key, besides: found.name, home: policy.home)
    }
}
